/** The paths of the storage routes, and what their handlers read from a request. */
import { Buffer } from 'node:buffer';
import { rm } from 'node:fs/promises';
import { callerId, callerIds } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { rejectUnstorableText } from '../../../http/json-text.ts';
import { rateLimited } from '../../../http/rate-limit.ts';
import { announcedBytes, receiveFile } from '../../../http/receive-file.ts';
import { Problem } from '../../../kernel/errors.ts';
import { createKeyedSlots } from '../../../kernel/keyed-slots.ts';
import { BUCKETS, decodePath, UPLOAD_BYTES_MAX } from '../../../media/object-path.ts';
import { makeFolder } from '../../../platform/make-folder.ts';
import type { Context } from '../../context.ts';
import { findObject } from '../find.ts';
import { readablePath } from '../object-path.ts';
import { admitUpload, upload } from '../upload.ts';

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

/** How many uploads of one account run at once. */
const UPLOADS_AT_ONCE = 3;
const BUSY = { policy: 'uploads', limit: UPLOADS_AT_ONCE, windowSeconds: null, remaining: 0, resetSeconds: 1 } as const;
const refusal = () => rateLimited(BUSY);
const slots = createKeyedSlots({ slots: UPLOADS_AT_ONCE, waitingMax: 100, waitMs: 15_000, refusal });

export type UploadContext = Pick<Context, 'db' | 'imageCheck' | 'log' | 'media' | 'newUuid' | 'workDir'>;

/** What the URL and the token of an upload say. */
export type Upload = { userId: string; path: string; isUpsert: boolean };

/**
 * Receives the image in the body, checks it and stores it. Before the body is read, the account has a free slot, the path is
 * free and the image fits into what the account may store. Throws ERR_4004 if no slot becomes free in time.
 */
export async function receiveImage(c: HttpContext, ctx: UploadContext, { userId, path, isUpsert }: Upload) {
  return slots.run(userId, async () => {
    // Without a length, an image that does not fit is rejected once it has arrived.
    const bytes = Math.min(announcedBytes(c.req.raw.headers), UPLOAD_BYTES_MAX);
    await admitUpload(ctx, { userId, path, isUpsert, bytes });
    return receiveAdmitted(c, ctx, { userId, path, isUpsert });
  });
}

async function receiveAdmitted(c: HttpContext, ctx: UploadContext, { userId, path, isUpsert }: Upload) {
  await makeFolder(ctx.workDir);
  const name = `upload-${ctx.newUuid()}`;
  const received = await receiveFile(c.req.raw, { folder: ctx.workDir, bytesMax: UPLOAD_BYTES_MAX, name });
  try {
    const metadata = parseMetadata(received.metadata ?? headerMetadata(c));
    return await upload(ctx, { userId, path, file: received.path, isUpsert, metadata });
  } finally {
    await rm(received.path, { force: true });
  }
}

/** Where Supabase's clients send the metadata of a file that is not in a form: as JSON in base64. */
function headerMetadata(c: HttpContext): string | null {
  const header = c.req.header('x-metadata');
  return header === undefined ? null : Buffer.from(header, 'base64').toString();
}

const METADATA_CHARACTERS_MAX = 10_000;

/** As Supabase does, ignores what is no JSON object. Throws ERR_4006 for too much of it, and for text that cannot be stored. */
function parseMetadata(text: string | null): object | null {
  const allowed = { maxLength: METADATA_CHARACTERS_MAX };
  if ((text?.length ?? 0) > allowed.maxLength)
    throw new Problem('ERR_4006', { details: { field: 'metadata', allowed } });
  const value = parseOrNull(text ?? '');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  rejectUnstorableText(value, ['metadata']);
  return value;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns the decoded path after `base` and the bucket in the URL; empty if it cannot be decoded. */
export function pathIn(c: HttpContext, base: string): string {
  const rest = decodePath(c.req.path.slice(base.length + 1));
  return rest.slice(rest.indexOf('/') + 1);
}

export function bucketIn(c: HttpContext): string {
  return c.req.param('bucket') ?? '';
}

/** Finds the caller's own object that the URL names. Throws ERR_4007 for any other. */
export function objectIn(c: HttpContext, ctx: Pick<Context, 'db'>, base: string) {
  const bucket = bucketIn(c);
  return findObject(ctx, callerId(c), bucket, readablePath(bucket, pathIn(c, base), callerIds(c)));
}

/** Returns the bucket in the URL. Throws ERR_4007 if it does not exist. */
export function requireBucket(c: HttpContext): string {
  const bucket = bucketIn(c);
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  return bucket;
}
