import { Problem } from '../../kernel/errors.ts';
import { UPLOADS } from '../../media/object-path.ts';
import type { Context } from '../context.ts';

/** As long as Supabase's: for an app to hand on to whoever uploads. */
const UPLOAD_SECONDS = 2 * 3600;

/** No object's key holds a space: a token for writing opens nothing for reading, nor the other way round. */
const writing = (path: string, isUpsert: boolean) => `${isUpsert ? 'replace' : 'add'} ${UPLOADS}/${path}`;

/** A token by which anybody may write this one path for two hours; without `isUpsert` only while nothing is there. */
export function signUpload(ctx: Pick<Context, 'mediaSigner'>, path: string, isUpsert: boolean): Promise<string> {
  return ctx.mediaSigner.sign(writing(path, isUpsert), UPLOAD_SECONDS);
}

/** Whether what is there may be replaced by the token's bearer. Throws ERR_4005 (403) for a token that does not hold. */
export async function verifyUpload(
  ctx: Pick<Context, 'mediaSigner'>,
  path: string,
  token: string,
): Promise<{ isUpsert: boolean }> {
  for (const isUpsert of [false, true]) {
    const verdict = await ctx.mediaSigner.verify(writing(path, isUpsert), token);
    if (verdict === 'ok') return { isUpsert };
    if (verdict === 'expired')
      throw new Problem('ERR_4005', { status: 403, details: { reason: 'upload_link_expired' } });
  }
  throw new Problem('ERR_4005', { status: 403, details: { reason: 'link' } });
}
