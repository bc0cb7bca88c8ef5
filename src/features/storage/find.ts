import { sql } from 'kysely';
import { contentTypeOf } from '../../kernel/content-type.ts';
import { Problem } from '../../kernel/errors.ts';
import { jobIdOf, UPLOADS } from '../../media/object-path.ts';
import type { MediaKey } from '../../media/store.ts';
import type { Context } from '../context.ts';

/** An object that its owner may see. */
export type StoredObject = {
  id: string;
  bucket: string;
  path: string;
  key: MediaKey;
  contentType: string;
  createdAt: Date;
  updatedAt: Date;
  metadata: object;
};

/** Returns this user's object under this path. Throws ERR_4007 if there is none. */
export async function findObject(
  ctx: Pick<Context, 'db'>,
  userId: string,
  bucket: string,
  path: string,
): Promise<StoredObject> {
  const found = (await findObjects(ctx, userId, bucket, [path])).get(path);
  if (!found) throw new Problem('ERR_4007');
  return found;
}

/** Returns this user's objects among these paths, by their path, with one query. */
export async function findObjects(
  ctx: Pick<Context, 'db'>,
  userId: string,
  bucket: string,
  paths: string[],
): Promise<Map<string, StoredObject>> {
  if (paths.length === 0) return new Map();
  const found = await (bucket === UPLOADS ? findUploads(ctx, userId, paths) : findMedia(ctx, userId, bucket, paths));
  return new Map(found.map((object) => [object.path, object]));
}

async function findUploads(ctx: Pick<Context, 'db'>, userId: string, paths: string[]): Promise<StoredObject[]> {
  const rows = await ctx.db.read
    .selectFrom('uploads')
    .selectAll()
    .where('path', '=', anyOf(paths))
    .where('user_id', '=', userId)
    .where('stored_at', 'is not', null)
    .execute();
  return rows.map(({ id, path, file: key, content_type: contentType, metadata, created_at, updated_at }) => {
    const times = { createdAt: created_at, updatedAt: updated_at };
    return { id, bucket: UPLOADS, path, key, contentType, metadata: Object(metadata), ...times };
  });
}

/** Finished videos, or their thumbnails. The files are named after their job's id. */
async function findMedia(
  ctx: Pick<Context, 'db'>,
  userId: string,
  bucket: string,
  paths: string[],
): Promise<StoredObject[]> {
  const column = bucket === 'videos' ? 'video_url' : 'thumbnail_url';
  const jobIds = paths.map(jobIdOf).filter((id) => id !== null);
  const rows = await ctx.db.read
    .selectFrom('video_jobs')
    .select(['job_id', 'completed_at', 'created_at', sql<string>`${sql.ref(column)}`.as('path')])
    .where('job_id', '=', anyOf(jobIds))
    .where('user_id', '=', userId)
    .where(column, '=', anyOf(paths))
    .where('status', '=', 'completed')
    .where('deleted_at', 'is', null)
    .execute();
  return rows.map(({ job_id: id, path, completed_at, created_at }) => {
    const createdAt = completed_at ?? created_at;
    return {
      ...{ id, bucket, path, key: `${bucket}/${path}`, contentType: contentTypeOf(path) },
      ...{ createdAt, updatedAt: createdAt, metadata: {} },
    };
  });
}

/** One parameter for a list of any length, so that the statement is the same for all. */
function anyOf(values: string[]) {
  return sql<string>`any(${values})`;
}

/** Returns the object of a signed URL. Throws ERR_4007 if it no longer exists. */
export async function findSigned(ctx: Pick<Context, 'db'>, bucket: string, path: string): Promise<SignedObject> {
  const found = bucket === UPLOADS ? await findSignedUpload(ctx, path) : await findSignedMedia(ctx, bucket, path);
  if (!found) throw new Problem('ERR_4007');
  return found;
}

type SignedObject = { key: MediaKey; contentType: string };

/** A video or a thumbnail is served only while its job and its account exist, even if its URL is valid for longer. */
async function findSignedMedia(ctx: Pick<Context, 'db'>, bucket: string, path: string): Promise<SignedObject | null> {
  const jobId = jobIdOf(path);
  if (jobId === null) return null;
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .innerJoin('users', 'users.id', 'video_jobs.user_id')
    .select('job_id')
    .where('job_id', '=', jobId)
    .where('status', '=', 'completed')
    .where('video_jobs.deleted_at', 'is', null)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? { key: `${bucket}/${path}`, contentType: contentTypeOf(path) } : null;
}

/** The newest version of an upload. */
async function findSignedUpload(ctx: Pick<Context, 'db'>, path: string): Promise<SignedObject | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .select(['file', 'content_type'])
    .where('path', '=', path)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  return row ? { key: row.file, contentType: row.content_type } : null;
}
