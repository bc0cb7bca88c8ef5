import { contentTypeOf } from '../../kernel/content-type.ts';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { pictureTypeOf } from '../../media/picture.ts';
import { uploadKey } from '../../media/picture-key.ts';
import type { MediaKey } from '../../media/store.ts';
import type { Context } from '../context.ts';
import { UPLOADS } from './object-path.ts';

/** So many bytes say what a picture is. */
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

/** The object of this owner under this path; none is ERR_4007. */
export async function findObject(ctx: Context, userId: string, bucket: string, path: string): Promise<StoredObject> {
  const found = bucket === UPLOADS ? await findUpload(ctx, userId, path) : await findMedia(ctx, userId, bucket, path);
  if (!found) throw new Problem('ERR_4007');
  return found;
}

async function findUpload(ctx: Context, userId: string, path: string): Promise<StoredObject | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .selectAll()
    .where('path', '=', path)
    .where('user_id', '=', userId)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  if (!row) return null;
  const { id, content_type: contentType, created_at: createdAt, updated_at: updatedAt } = row;
  return { id, bucket: UPLOADS, path, key: uploadKey(row), contentType, createdAt, updatedAt };
}

/** A finished video, or its picture; its name ends in the job's id. */
async function findMedia(ctx: Context, userId: string, bucket: string, path: string): Promise<StoredObject | null> {
  const jobId = parseUuid(/([^/]+)\.[a-z0-9]+$/.exec(path)?.[1]);
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

/**
 * What a signed address of a picture leads to: the newest version of it or, where Supabase's own Storage took it and we have
 * no row, the object itself, called a picture only if it begins like one.
 */
export async function findSigned(ctx: Context, path: string): Promise<Pick<StoredObject, 'key' | 'contentType'>> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .select(['id', 'user_id', 'content_type'])
    .where('path', '=', path)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  if (row) return { key: uploadKey(row), contentType: row.content_type };
  const key = `${UPLOADS}/${path}`;
  const begin = (await ctx.media.info(key)) && (await ctx.media.read(key, { start: 0, end: SIGNATURE_BYTES - 1 }));
  const contentType = begin && pictureTypeOf(new Uint8Array(await new Response(begin).arrayBuffer()));
  if (!contentType) throw new Problem('ERR_4007');
  return { key, contentType };
}
