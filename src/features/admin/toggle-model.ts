import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Puts a model on offer or takes it off. Throws ERR_4007 for an unknown one. */
export async function toggleModel(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { model_id: string; is_available: boolean; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_toggle_model', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'model_id');
}
