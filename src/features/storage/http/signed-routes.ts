/** Signed URLs: for reading a stored object, and for uploading one. */
import { callerId, callerIds } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { Downloads } from '../../../http/downloads.ts';
import type { HttpContext } from '../../../http/env.ts';
import { ownTurn } from '../../../http/own-turn.ts';
import { type CallLimiter, setRateLimitHeaders } from '../../../http/rate-limit.ts';
import type { Router } from '../../../http/route.ts';
import { serveMedia } from '../../../http/serve-media.ts';
import { signedMediaPath, tokenExpiry } from '../../../http/signed-url.ts';
import { Problem } from '../../../kernel/errors.ts';
import { BUCKETS, decodeAgain, encodePath, parseObjectPath, UPLOADS } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { findObject, findObjects, findSigned } from '../find.ts';
import { readablePaths, writablePath } from '../object-path.ts';
import { signUpload, verifyUpload } from '../sign.ts';
import {
  BASE,
  bucketIn,
  objectIn,
  pathIn,
  receiveImage,
  requireBucket,
  SIGN,
  SIGN_UPLOAD,
  type UploadContext,
} from './requests.ts';
import { OPEN_SIGNED, SIGN_OBJECT, SIGN_OBJECTS, SIGN_UPLOAD_URL, UPLOAD_TO_SIGNED } from './signed-openapi.ts';

/** How many URLs of one call are signed before other requests get their turn. */
const SIGNED_AT_ONCE = 100;

/** Supabase's own message for a path that cannot be signed. */
const NOT_FOUND = 'Either the object does not exist or you do not have access to it';

export type SignedRoutesOptions = {
  /** Counts the uploads to signed URLs, which no guard does, for the account that signed them. */
  calls: CallLimiter;
  downloads: Downloads;
  ipOf: IpReader;
};

export function signedRoutes(
  router: Router,
  ctx: UploadContext & Pick<Context, 'clock' | 'mediaSigner'>,
  { calls, downloads, ipOf }: SignedRoutesOptions,
): void {
  const signedPath = async (key: string, seconds: number) =>
    signedMediaPath(key, await ctx.mediaSigner.sign(key, seconds)).slice(BASE.length);

  router.add(OPEN_SIGNED, (c) => serveSigned(c, ctx, () => downloads.begin(ipOf(c))));
  router.add(SIGN_OBJECTS, async (c) => {
    const { expiresIn, paths } = c.req.valid('json');
    const [bucket, userId] = [requireBucket(c), callerId(c)];
    const readable = readablePaths(bucket, paths, callerIds(c));
    const found = await findObjects(ctx, userId, bucket, [...readable.values()]);
    const signOne = async (path: string) => {
      const key = `${bucket}/${readable.get(path)}`;
      if (!found.has(readable.get(path) ?? '')) return { error: NOT_FOUND, path, signedURL: null };
      return { error: null, path, signedURL: await signedPath(key, expiresIn) };
    };
    const signed: Awaited<ReturnType<typeof signOne>>[] = [];
    for (let at = 0; at < paths.length; at += SIGNED_AT_ONCE) {
      if (at > 0) await ownTurn();
      signed.push(...(await Promise.all(paths.slice(at, at + SIGNED_AT_ONCE).map(signOne))));
    }
    return c.json(signed, 200);
  });
  router.add(SIGN_OBJECT, async (c) => {
    const { expiresIn } = c.req.valid('json');
    const { bucket, path } = await objectIn(c, ctx, SIGN);
    return c.json({ signedURL: await signedPath(`${bucket}/${path}`, expiresIn) }, 200);
  });

  router.add(SIGN_UPLOAD_URL, async (c) => {
    const path = writablePath(bucketIn(c), pathIn(c, SIGN_UPLOAD), callerIds(c));
    const isUpsert = c.req.header('x-upsert') === 'true';
    if (!isUpsert && (await findObject(ctx, callerId(c), UPLOADS, path).catch(nullIfNotFound))) {
      throw new Problem('ERR_4008', { details: { reason: 'exists' } });
    }
    const token = await signUpload(ctx, path, isUpsert);
    return c.json({ url: `/object/upload/sign/${UPLOADS}/${encodePath(path)}?token=${token}`, token }, 200);
  });
  router.add(UPLOAD_TO_SIGNED, async (c) => {
    const parsed = parseObjectPath(decodeAgain(pathIn(c, SIGN_UPLOAD)));
    if (bucketIn(c) !== UPLOADS || !parsed) throw invalidLink('link');
    const { path, ownerId } = parsed;
    const { isUpsert } = await verifyUpload(ctx, path, c.req.query('token') ?? '');
    // A merged guest's folder belongs to the survivor, and so does what is limited for each account.
    const userId = await ctx.db.call('survivor_of', { user_id: ownerId });
    setRateLimitHeaders(c, await calls.take(userId));
    return c.json({ Key: (await receiveImage(c, ctx, { userId, path, isUpsert })).key }, 200);
  });
}

/** Serves the object of a signed URL, as long as the object exists. */
async function serveSigned(
  c: HttpContext,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'media' | 'mediaSigner'>,
  begin: () => () => void,
): Promise<Response> {
  const parsed = BUCKETS.includes(bucketIn(c)) ? parseObjectPath(decodeAgain(pathIn(c, SIGN))) : null;
  const token = c.req.query('token') ?? '';
  const verdict = parsed ? await ctx.mediaSigner.verify(`${bucketIn(c)}/${parsed.path}`, token) : 'bad';
  if (!parsed || verdict !== 'ok') throw invalidLink(verdict === 'expired' ? 'link_expired' : 'link');
  const { key, contentType } = await findSigned(ctx, bucketIn(c), parsed.path);
  const { media: store, clock, log } = ctx;
  const presentation = { contentType, name: parsed.path, download: c.req.query('download') };
  const expiresAt = tokenExpiry(token);
  return serveMedia({ store, key, request: c.req.raw, clock, log, expiresAt, begin, ...presentation });
}

function invalidLink(reason: 'link' | 'link_expired'): Problem {
  return new Problem('ERR_4005', { status: 403, details: { reason } });
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof Problem && error.code === 'ERR_4007') return null;
  throw error;
}
