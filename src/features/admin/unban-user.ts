import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Lifts the ban of an account. A repeat changes nothing. Throws ERR_4007 for an unknown or deleted account. */
export async function unbanUser(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { user_id: string; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_unban_user', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'user_id');
}
