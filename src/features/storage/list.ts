import { sql } from 'kysely';
import { UPLOADS } from '../../media/object-path.ts';
import type { Context } from '../context.ts';

export type ListInput = {
  bucket: string;
  /** The folder, without a slash at either end; empty for the root, which contains only the user's own folder. */
  prefix: string;
  limit: number;
  offset: number;
  search: string;
  sortBy: 'name' | 'created_at' | 'updated_at';
  isDescending: boolean;
};

/** A folder has only a name; its other fields are null. */
export type Entry = {
  name: string;
  id: string | null;
  content_type: string | null;
  bytes: number | null;
  sha256: string | null;
  created_at: Date | null;
  updated_at: Date | null;
};

const UPLOADED = sql`
  select path, id, content_type, bytes::bigint as bytes, sha256, created_at, updated_at
  from uploads
  where stored_at is not null`;
const VIDEOS = sql`
  select video_url as path, job_id as id, 'video/mp4' as content_type, video_bytes as bytes, video_sha256 as sha256,
    completed_at as created_at, completed_at as updated_at
  from video_jobs
  where status = 'completed' and deleted_at is null and video_url is not null`;
const THUMBNAILS = sql`
  select thumbnail_url as path, job_id as id, 'image/jpeg' as content_type, null::bigint as bytes, null as sha256,
    completed_at as created_at, completed_at as updated_at
  from video_jobs
  where status = 'completed' and deleted_at is null and thumbnail_url is not null`;

/** Lists the files and folders in a folder of the user's, one level deep. */
export async function listObjects(ctx: Pick<Context, 'db'>, userId: string, input: ListInput): Promise<Entry[]> {
  const { bucket, prefix, limit, offset, search, sortBy, isDescending } = input;
  const objects = bucket === UPLOADS ? UPLOADED : bucket === 'videos' ? VIDEOS : THUMBNAILS;
  const folder = prefix === '' ? '' : `${prefix}/`;
  const order = isDescending ? sql`desc nulls last` : sql`asc nulls first`;
  const found = await sql<Entry>`
    with owned as (
      select o.*, substr(o.path, ${folder.length + 1}) as rest
      from (${objects} and user_id = ${userId}::uuid) o
      where starts_with(o.path, ${folder})
    ), entries as (
      select rest as name, id, content_type, bytes, sha256, created_at, updated_at from owned where strpos(rest, '/') = 0
      union all
      select distinct split_part(rest, '/', 1), null::uuid, null, null::bigint, null, null::timestamptz, null::timestamptz
      from owned
      where strpos(rest, '/') > 0
    )
    select * from entries
    where strpos(lower(name), lower(${search})) > 0 or ${search} = ''
    order by ${sql.ref(sortBy)} ${order}, name
    limit ${limit}
    offset ${offset}`.execute(ctx.db.read);
  return found.rows;
}
