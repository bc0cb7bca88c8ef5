import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AuthUser, readAuthUser } from './auth-user.ts';

/** In bytes of JSON: it is part of every access token, which is a header. */
export const METADATA_BYTES_MAX = 4096;

/** Merges fields into what the app keeps with the account; null removes a field. Throws ERR_4014 if it is too much. */
export async function updateMetadata(
  ctx: Pick<Context, 'db'>,
  userId: string,
  data: Record<string, unknown>,
): Promise<AuthUser> {
  const outcome = await ctx.db.call('update_user_metadata', { user_id: userId, data });
  if (outcome === 'too_large') throw new Problem('ERR_4014', { details: { bytes_max: METADATA_BYTES_MAX } });
  const user = outcome === 'updated' ? await readAuthUser(ctx, userId) : null;
  if (!user) throw new Problem('ERR_4005');
  return user;
}
