/** The paths of the storage routes, and what their handlers read from a request. */
import { rm } from 'node:fs/promises';
import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { receiveFile } from '../../../http/receive-file.ts';
import { Problem } from '../../../kernel/errors.ts';
import { BUCKETS, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import { makeFolder } from '../../../platform/make-folder.ts';
import type { Context } from '../../context.ts';
import { findObject } from '../find.ts';
import { readablePath } from '../object-path.ts';
import { upload } from '../upload.ts';

export const BASE = '/storage/v1';
export const OBJECT = `${BASE}/object`;
export const SIGN = `${OBJECT}/sign`;
export const SIGN_UPLOAD = `${OBJECT}/upload/sign`;

/**
 * The bucket in a route pattern. It excludes the words that other storage routes have in its position, so that no request
 * matches two routes and the order in which they are added does not matter.
 */
export const BUCKET = ':bucket{(?!(?:sign|list|info|authenticated|upload)(?:/|$))[^/]+}';
/** A path of at least one character, for patterns beside a route for the bucket alone, which `/*` would match too. */
export const PATH = ':path{.+}';

/** Receives the image in the body, checks it and stores it. */
export async function receiveImage(
  c: HttpContext,
  ctx: Pick<Context, 'db' | 'log' | 'media' | 'newUuid' | 'workDir'>,
  userId: string,
  path: string,
  isUpsert: boolean,
) {
  await makeFolder(ctx.workDir);
  const name = `upload-${ctx.newUuid()}`;
  const file = await receiveFile(c.req.raw, { folder: ctx.workDir, bytesMax: UPLOAD_BYTES_MAX, name });
  try {
    return await upload(ctx, { userId, path, file, isUpsert });
  } finally {
    await rm(file, { force: true });
  }
}

/** Returns the decoded path after `base` and the bucket in the URL; empty if it cannot be decoded. */
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

/** Finds the caller's own object that the URL names. Throws ERR_4007 for any other. */
export function objectIn(c: HttpContext, ctx: Pick<Context, 'db'>, base: string) {
  const bucket = bucketIn(c);
  return findObject(ctx, callerId(c), bucket, readablePath(bucket, pathIn(c, base), callerId(c)));
}

/** Returns the bucket in the URL. Throws ERR_4007 if it does not exist. */
export function requireBucket(c: HttpContext): string {
  const bucket = bucketIn(c);
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  return bucket;
}
