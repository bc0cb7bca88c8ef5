/** Addresses that open by themselves: for reading a stored object, and for uploading one. */
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { serveMedia } from '../../../http/serve-media.ts';
import { signedMediaPath, signedUntil } from '../../../http/signed-url.ts';
import { Problem } from '../../../kernel/errors.ts';
import { parseObjectPath, UPLOADS } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { findObject, findSigned } from '../find.ts';
import { readablePath, writablePath } from '../object-path.ts';
import { signUpload, verifyUpload } from '../sign.ts';
import { describeMedia } from './media-openapi.ts';
import { BASE, bodyOf, knownBucket, OBJECT, objectOf, PATH, receive, restOf } from './requests.ts';
import { SignBody, SignManyBody } from './schemas.ts';
import { describeSigning } from './signed-openapi.ts';

/** As Supabase puts it where many are asked for at once. */
const NOT_FOUND = 'Either the object does not exist or you do not have access to it';

const SIGN = `${OBJECT}/sign`;
const UPLOAD = `${OBJECT}/upload/sign`;

export function signedRoutes(api: Api, ctx: Context, guards: Guards): void {
  describeSigning(api, OBJECT);
  describeMedia(api, `${SIGN}/{bucket}/{path}`);
  const signed = async (key: string, seconds: number) =>
    signedMediaPath(key, await ctx.mediaSigner.sign(key, seconds)).slice(BASE.length);

  api.get(`${SIGN}/:bucket/*`, (c) => serveSigned(c, ctx));
  api.post(`${SIGN}/:bucket`, guards.userWithBody, async (c) => {
    const { expiresIn, paths } = await bodyOf(c, SignManyBody);
    const [bucket, userId] = [knownBucket(c), callerId(c)];
    const find = async (path: string) => findObject(ctx, userId, bucket, readablePath(bucket, path, userId));
    const signOne = async (path: string) => {
      const found = await find(path).catch(orNull);
      if (!found) return { error: NOT_FOUND, path, signedURL: null };
      return { error: null, path, signedURL: await signed(`${bucket}/${found.path}`, expiresIn) };
    };
    return c.json(await Promise.all(paths.map(signOne)), 200);
  });
  api.post(`${SIGN}/:bucket/${PATH}`, guards.userWithBody, async (c) => {
    const { expiresIn } = await bodyOf(c, SignBody);
    const { bucket, path } = await objectOf(c, ctx, SIGN);
    return c.json({ signedURL: await signed(`${bucket}/${path}`, expiresIn) }, 200);
  });

  api.post(`${UPLOAD}/:bucket/*`, guards.userWithBody, async (c) => {
    const path = writablePath(c.req.param('bucket') ?? '', restOf(c, UPLOAD), callerId(c));
    const isUpsert = c.req.header('x-upsert') === 'true';
    if (!isUpsert && (await findObject(ctx, callerId(c), UPLOADS, path).catch(orNull))) {
      throw new Problem('ERR_4008', { details: { reason: 'exists' } });
    }
    const token = await signUpload(ctx, path, isUpsert);
    return c.json({ url: `/object/upload/sign/${UPLOADS}/${path}?token=${token}`, token }, 200);
  });
  api.put(`${UPLOAD}/:bucket/*`, async (c) => {
    const parsed = parseObjectPath(restOf(c, UPLOAD));
    if (c.req.param('bucket') !== UPLOADS || !parsed)
      throw new Problem('ERR_4005', { status: 403, details: { reason: 'link' } });
    const { isUpsert } = await verifyUpload(ctx, parsed.path, c.req.query('token') ?? '');
    return c.json({ Key: (await receive(c, ctx, parsed.ownerId, parsed.path, isUpsert)).key }, 200);
  });
}

/** Serves an object whose URL was signed, for as long as it is there. */
async function serveSigned(c: HttpContext, ctx: Context): Promise<Response> {
  const bucket = c.req.param('bucket') ?? '';
  const parsed = parseObjectPath(restOf(c, SIGN));
  const token = c.req.query('token') ?? '';
  const verdict = parsed ? await ctx.mediaSigner.verify(`${bucket}/${parsed.path}`, token) : 'bad';
  if (!parsed || verdict !== 'ok') {
    const reason = verdict === 'expired' ? 'link_expired' : 'link';
    throw new Problem('ERR_4005', { status: 403, details: { reason } });
  }
  const { key, contentType } = await findSigned(ctx, bucket, parsed.path);
  const { media: store, clock, log } = ctx;
  const shown = { name: parsed.path, download: c.req.query('download') };
  return serveMedia({ store, key, request: c.req.raw, clock, log, until: signedUntil(token), contentType, ...shown });
}

function orNull(error: unknown): null {
  if (error instanceof Problem && error.code === 'ERR_4007') return null;
  throw error;
}
