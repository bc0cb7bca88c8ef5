import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/**
 * Corrects a balance up or down. Throws ERR_4007 for an unknown or deleted account, and ERR_4008 where the balance would fall
 * below zero.
 */
export async function adjustCredits(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { user_id: string; amount: number; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_adjust_credits', { by: await byOf(call, fields), ...fields });
  if (result.outcome === 'below_zero') {
    const details = { field: 'amount', reason: 'below_zero', credits_remaining: result.credits_remaining };
    throw new Problem('ERR_4008', { details });
  }
  return answerOf(result, 'user_id', {
    invalid_amount: () => new Problem('ERR_4006', { details: { field: 'amount' } }),
  });
}
