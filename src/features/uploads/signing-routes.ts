/** Addresses that open by themselves: for reading a stored object, and for uploading one. */
import type { Api, Guards } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import type { HttpContext } from '../../http/env.ts';
import { serveMedia } from '../../http/serve-media.ts';
import { signedMediaPath, signedUntil } from '../../http/signed-url.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { findObject, findSigned } from './find.ts';
import { parseObjectPath, readablePath, UPLOADS, writablePath } from './object-path.ts';
import { BASE, bodyOf, knownBucket, OBJECT, objectOf, receive, restOf } from './requests-wire.ts';
import { signUpload, verifyUpload } from './sign.ts';
import { describeSigning } from './signing-wire.ts';
import { SignBody, SignManyBody } from './wire.ts';

/** As Supabase puts it where many are asked for at once. */
const NOT_FOUND = 'Either the object does not exist or you do not have access to it';

export function signingRoutes(api: Api, ctx: Context, guards: Guards): void {
  describeSigning(api, OBJECT);
  const signed = async (key: string, seconds: number) =>
    signedMediaPath(key, await ctx.mediaSigner.sign(key, seconds)).slice(BASE.length);

  api.get(`${OBJECT}/sign/${UPLOADS}/*`, (c) => serveSigned(c, ctx));
  // Before the one with a path, whose pattern is also met without one.
  api.post(`${OBJECT}/sign/:bucket`, guards.userWithBody, async (c) => {
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
  api.post(`${OBJECT}/sign/:bucket/*`, guards.userWithBody, async (c) => {
    const { expiresIn } = await bodyOf(c, SignBody);
    const { bucket, path } = await objectOf(c, ctx, `${OBJECT}/sign`);
    return c.json({ signedURL: await signed(`${bucket}/${path}`, expiresIn) }, 200);
  });

  const UPLOAD = `${OBJECT}/upload/sign`;
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

async function serveSigned(c: HttpContext, ctx: Context): Promise<Response> {
  const parsed = parseObjectPath(restOf(c, `${OBJECT}/sign`));
  const token = c.req.query('token') ?? '';
  const verdict = parsed ? await ctx.mediaSigner.verify(`${UPLOADS}/${parsed.path}`, token) : 'bad';
  if (!parsed || verdict !== 'ok') {
    const reason = verdict === 'expired' ? 'link_expired' : 'link';
    throw new Problem('ERR_4005', { status: 403, details: { reason } });
  }
  const { key, contentType } = await findSigned(ctx, parsed.path);
  const { media: store, clock, log } = ctx;
  const shown = { name: parsed.path, download: c.req.query('download') };
  return serveMedia({ store, key, request: c.req.raw, clock, log, until: signedUntil(token), contentType, ...shown });
}

function orNull(error: unknown): null {
  if (error instanceof Problem && error.code === 'ERR_4007') return null;
  throw error;
}
