/** What all routes of the storage read from a request. */
import { mkdir, rm } from 'node:fs/promises';
import type { z } from '@hono/zod-openapi';
import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { receiveFile } from '../../../http/receive-file.ts';
import { problemOf } from '../../../http/validate.ts';
import { Problem } from '../../../kernel/errors.ts';
import { BUCKETS, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import type { Context } from '../../context.ts';
import { findObject } from '../find.ts';
import { readablePath } from '../object-path.ts';
import { upload } from '../upload.ts';

export const BASE = '/storage/v1';
export const OBJECT = `${BASE}/object`;

/** A bucket's name in a pattern: none of the words that stand in its place in the other routes of the storage. */
export const BUCKET = ':bucket{(?!(?:sign|list|info|authenticated|upload)(?:/|$))[^/]+}';
/** At least one character of a path: told apart from the bucket alone, which `/*` would also match. */
export const PATH = ':path{.+}';

/** The picture in the body, checked and stored. */
export async function receive(c: HttpContext, ctx: Context, userId: string, path: string, isUpsert: boolean) {
  await mkdir(ctx.workDir, { recursive: true });
  const name = `upload-${crypto.randomUUID()}`;
  const file = await receiveFile(c.req.raw, { folder: ctx.workDir, bytesMax: UPLOAD_BYTES_MAX, name });
  try {
    return await upload(ctx, { userId, path, file, isUpsert });
  } finally {
    await rm(file, { force: true });
  }
}

/** What the address names behind its base and bucket, decoded; empty where it cannot be. */
export function restOf(c: HttpContext, base: string): string {
  try {
    const rest = decodeURIComponent(c.req.path.slice(base.length + 1));
    return rest.slice(rest.indexOf('/') + 1);
  } catch {
    return '';
  }
}

/** The object of the caller’s own that the address names. */
export function objectOf(c: HttpContext, ctx: Context, base: string) {
  const bucket = c.req.param('bucket') ?? '';
  return findObject(ctx, callerId(c), bucket, readablePath(bucket, restOf(c, base), callerId(c)));
}

/** The bucket of the address; ERR_4007 where there is none of that name. */
export function knownBucket(c: HttpContext): string {
  const bucket = c.req.param('bucket') ?? '';
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  return bucket;
}

/** The JSON body, which a guard has read, as the schema has it; ERR_4006 names the first field that is not. */
export async function bodyOf<Schema extends z.ZodType>(c: HttpContext, schema: Schema): Promise<z.output<Schema>> {
  const body: unknown = await c.req.json();
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw problemOf(result.error, body);
}
