import { contentTypeOf } from '../../kernel/content-type.ts';
import { Problem } from '../../kernel/errors.ts';
import { imageTypeOf } from '../../media/image.ts';
import { jobIdOf, UPLOADS } from '../../media/object-path.ts';
import type { MediaKey } from '../../media/store.ts';
import type { Context } from '../context.ts';

/** The first bytes of a file, enough to detect the type of an image. */
const SIGNATURE_BYTES = 12;

/** An object that its owner may see. */
export type StoredObject = {
  id: string;
  bucket: string;
  path: string;
  key: MediaKey;
  contentType: string;
  createdAt: Date;
  updatedAt: Date;
};

/** Returns this user's object under this path. Throws ERR_4007 if there is none. */
export async function findObject(
  ctx: Pick<Context, 'db'>,
  userId: string,
  bucket: string,
  path: string,
): Promise<StoredObject> {
  const found = bucket === UPLOADS ? await findUpload(ctx, userId, path) : await findMedia(ctx, userId, bucket, path);
  if (!found) throw new Problem('ERR_4007');
  return found;
}

async function findUpload(ctx: Pick<Context, 'db'>, userId: string, path: string): Promise<StoredObject | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .selectAll()
    .where('path', '=', path)
    .where('user_id', '=', userId)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  if (!row) return null;
  const { id, file, content_type: contentType, created_at: createdAt, updated_at: updatedAt } = row;
  return { id, bucket: UPLOADS, path, key: file, contentType, createdAt, updatedAt };
}

/** A finished video or its thumbnail. The file is named after the job's id. */
async function findMedia(
  ctx: Pick<Context, 'db'>,
  userId: string,
  bucket: string,
  path: string,
): Promise<StoredObject | null> {
  const jobId = jobIdOf(path);
  if (jobId === null) return null;
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .select(['job_id', 'completed_at', 'created_at'])
    .where('job_id', '=', jobId)
    .where('user_id', '=', userId)
    .where(bucket === 'videos' ? 'video_url' : 'thumbnail_url', '=', path)
    .where('status', '=', 'completed')
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  const completedAt = row.completed_at ?? row.created_at;
  return {
    id: row.job_id,
    bucket,
    path,
    key: `${bucket}/${path}`,
    contentType: contentTypeOf(path),
    createdAt: completedAt,
    updatedAt: completedAt,
  };
}

/** Returns the object of a signed URL. Throws ERR_4007 if it no longer exists. */
export async function findSigned(
  ctx: Pick<Context, 'db' | 'media'>,
  bucket: string,
  path: string,
): Promise<SignedObject> {
  const found = bucket === UPLOADS ? await findSignedUpload(ctx, path) : await findSignedMedia(ctx, bucket, path);
  if (!found) throw new Problem('ERR_4007');
  return found;
}

type SignedObject = { key: MediaKey; contentType: string };

/** A video or a thumbnail is served only while its job exists, even if its URL is valid for longer. */
async function findSignedMedia(ctx: Pick<Context, 'db'>, bucket: string, path: string): Promise<SignedObject | null> {
  const jobId = jobIdOf(path);
  if (jobId === null) return null;
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .select('job_id')
    .where('job_id', '=', jobId)
    .where('status', '=', 'completed')
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? { key: `${bucket}/${path}`, contentType: contentTypeOf(path) } : null;
}

/**
 * The newest version of an upload. An object that Supabase's own Storage received has no row here; it is served if its first
 * bytes are those of an image.
 */
async function findSignedUpload(ctx: Pick<Context, 'db' | 'media'>, path: string): Promise<SignedObject | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .select(['file', 'content_type'])
    .where('path', '=', path)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  if (row) return { key: row.file, contentType: row.content_type };
  const key: MediaKey = `${UPLOADS}/${path}`;
  const start = (await ctx.media.info(key)) && (await ctx.media.read(key, { start: 0, end: SIGNATURE_BYTES - 1 }));
  const contentType = start && imageTypeOf(new Uint8Array(await new Response(start).arrayBuffer()));
  return contentType ? { key, contentType } : null;
}
