import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

export type NewCode = {
  /** In the form in which codes are stored; without it, one that cannot be guessed is made. */
  code?: string | null | undefined;
  credits: number;
  uses_max: number;
  expires_at?: Date | null | undefined;
  reason: string;
};

/** Creates a code. Throws ERR_4008 if there is such a code, and ERR_4006 if it would have expired already. */
export async function createCode(ctx: Pick<Context, 'db'>, call: AdminCall, fields: NewCode): Promise<ChangeAnswer> {
  const { code = null, expires_at: expiresAt = null, ...others } = fields;
  const by = await byOf(call, { ...others, code, expires_at: expiresAt?.toISOString() ?? null });
  const result = await ctx.db.call('admin_create_code', { by, ...others, code, expires_at: expiresAt });
  return answerOf(result, 'code', {
    exists: () => new Problem('ERR_4008', { details: { field: 'code', reason: 'code_exists' } }),
    past: () => new Problem('ERR_4006', { details: { field: 'expires_at', reason: 'past' } }),
  });
}
