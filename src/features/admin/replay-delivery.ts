import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Has an outgoing webhook or a push sent once more. Throws ERR_4007 for an unknown one, ERR_4017 where no receiver is configured. */
export async function replayDelivery(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { delivery_id: string; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_replay_delivery', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'delivery_id', {
    off: () => new Problem('ERR_4017', { details: { feature: 'outgoing-webhooks' } }),
  });
}
