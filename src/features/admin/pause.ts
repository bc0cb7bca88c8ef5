import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Stops the sale of generations, or goes on with it. What was paid for is finished, and purchases are credited. */
export async function pause(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { is_paused: boolean; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_pause', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'is_paused');
}
