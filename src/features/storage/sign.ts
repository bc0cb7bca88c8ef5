import { Problem } from '../../kernel/errors.ts';
import { UPLOADS } from '../../media/object-path.ts';
import type { Context } from '../context.ts';

/** The same as in Supabase: time for an app to pass the URL to the client that uploads. */
const UPLOAD_SECONDS = 2 * 3600;

/** What an upload token signs. No bucket's name contains a space, so an upload token cannot read, nor a read token upload. */
const uploadScope = (path: string, isUpsert: boolean) => `${isUpsert ? 'replace' : 'add'} ${UPLOADS}/${path}`;

/** Returns a token with which any client can write this one path for two hours; without `isUpsert` only if it is free. */
export function signUpload(ctx: Pick<Context, 'mediaSigner'>, path: string, isUpsert: boolean): Promise<string> {
  return ctx.mediaSigner.sign(uploadScope(path, isUpsert), UPLOAD_SECONDS);
}

/** Verifies an upload token; returns whether it may replace an object. Throws ERR_4005 (403) if it is not valid. */
export async function verifyUpload(
  ctx: Pick<Context, 'mediaSigner'>,
  path: string,
  token: string,
): Promise<{ isUpsert: boolean }> {
  for (const isUpsert of [false, true]) {
    const verdict = await ctx.mediaSigner.verify(uploadScope(path, isUpsert), token);
    if (verdict === 'ok') return { isUpsert };
    if (verdict === 'expired')
      throw new Problem('ERR_4005', { status: 403, details: { reason: 'upload_link_expired' } });
  }
  throw new Problem('ERR_4005', { status: 403, details: { reason: 'link' } });
}
