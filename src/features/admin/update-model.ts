import { Problem } from '../../kernel/errors.ts';
import type { SettingsSchema } from '../../kernel/settings-schema.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer, givenOf, type Optional } from './change.ts';

export type ModelChanges = Optional<{
  name: string;
  description: string;
  price_credits: number;
  price_per_seconds: number;
  is_featured: boolean;
  settings_schema: SettingsSchema;
  thumbnail_url: string;
}>;

/** Changes a model for later generations. Throws ERR_4007 for an unknown one. */
export async function updateModel(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  { model_id, reason, ...fields }: ModelChanges & { model_id: string; reason: string },
): Promise<ChangeAnswer> {
  const changes = givenOf(fields);
  const by = await byOf(call, { model_id, reason, ...changes });
  const result = await ctx.db.call('admin_update_model', { by, model_id, changes, reason });
  return answerOf(result, 'model_id', {
    no_duration: () => new Problem('ERR_4006', { details: { field: 'price_per_seconds', reason: 'no_duration' } }),
  });
}
