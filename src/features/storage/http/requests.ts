/** What all routes of the storage read from a request, and where they are. */
import { mkdir, rm } from 'node:fs/promises';
import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { receiveFile } from '../../../http/receive-file.ts';
import { Problem } from '../../../kernel/errors.ts';
import { BUCKETS, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { findObject } from '../find.ts';
import { readablePath } from '../object-path.ts';
import { upload } from '../upload.ts';

export const BASE = '/storage/v1';
export const OBJECT = `${BASE}/object`;
export const SIGN = `${OBJECT}/sign`;
export const SIGN_UPLOAD = `${OBJECT}/upload/sign`;

/**
 * A bucket's name in a pattern: none of the words that stand in its place in the other routes of the storage. So no request
 * matches two routes, and the order in which they are added does not matter.
 */
export const BUCKET = ':bucket{(?!(?:sign|list|info|authenticated|upload)(?:/|$))[^/]+}';
/** At least one character of a path, where a route for the bucket alone exists beside it: `/*` would match that one too. */
export const PATH = ':path{.+}';

/** The image in the body, checked and stored. */
export async function receive(
  c: HttpContext,
  ctx: Pick<Context, 'db' | 'log' | 'media' | 'workDir'>,
  userId: string,
  path: string,
  isUpsert: boolean,
) {
  await mkdir(ctx.workDir, { recursive: true });
  const name = `upload-${crypto.randomUUID()}`;
  const file = await receiveFile(c.req.raw, { folder: ctx.workDir, bytesMax: UPLOAD_BYTES_MAX, name });
  try {
    return await upload(ctx, { userId, path, file, isUpsert });
  } finally {
    await rm(file, { force: true });
  }
}

/** The path that the URL names behind `base` and the bucket, decoded; empty where it cannot be decoded. */
export function pathIn(c: HttpContext, base: string): string {
  try {
    const rest = decodeURIComponent(c.req.path.slice(base.length + 1));
    return rest.slice(rest.indexOf('/') + 1);
  } catch {
    return '';
  }
}

export function bucketIn(c: HttpContext): string {
  return c.req.param('bucket') ?? '';
}

/** The caller's own object that the URL names; ERR_4007 for any other. */
export function objectIn(c: HttpContext, ctx: Pick<Context, 'db'>, base: string) {
  const bucket = bucketIn(c);
  return findObject(ctx, callerId(c), bucket, readablePath(bucket, pathIn(c, base), callerId(c)));
}

/** The bucket of the URL; ERR_4007 where there is none of that name. */
export function knownBucket(c: HttpContext): string {
  const bucket = bucketIn(c);
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  return bucket;
}
