import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Gives an account credits back. Throws ERR_4007 for an unknown or deleted account. */
export async function refundCredits(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { user_id: string; amount: number; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_refund_credits', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'user_id', {
    invalid_amount: () => new Problem('ERR_4006', { details: { field: 'amount' } }),
  });
}
