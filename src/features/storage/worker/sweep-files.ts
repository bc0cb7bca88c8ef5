import { sql } from 'kysely';
import { BUCKETS, jobIdOf, UPLOADS } from '../../../media/object-path.ts';
import type { ListedMedia, MediaKey } from '../../../media/store.ts';
import { readStoreId } from '../../../media/store-id.ts';
import type { Context } from '../../context.ts';
import { removeObjects } from './remove-objects.ts';

type SweepContext = Pick<Context, 'clock' | 'db' | 'log' | 'media'>;

/** Younger files may belong to work that is not finished. */
const ORPHAN_AFTER_MS = 24 * 3_600_000;
/** A page with more files than this of which most have no row is a sign that the database is not the one that they belong to. */
const STRANGERS_MAX = 20;
/** The names that this server gives. Anything else in a bucket is somebody else's, and stays. */
const OWN_NAMES: Record<string, RegExp> = {
  videos: /^videos\/[0-9a-f-]{36}\/\d{4}-\d{2}\/[0-9a-f-]{36}\.mp4$/,
  thumbnails: /^thumbnails\/[0-9a-f-]{36}\/\d{4}-\d{2}\/[0-9a-f-]{36}\.jpg$/,
  [UPLOADS]: /^user_uploads\/[0-9a-f-]{36}\/[0-9a-f-]{36}\.(?:jpg|png|webp)$/,
};

/**
 * Removes the files that no row names any more, a day after they were written, and what cut-off writes have left behind. Goes through
 * the store page by page and notes how far it has come, so that a run that is interrupted is taken up again. Does nothing to a
 * store that is not the database's own.
 */
export async function sweepFiles(
  ctx: SweepContext,
  signal: AbortSignal,
): Promise<{ removed: number; unfinished: number }> {
  if (!(await isOwnStore(ctx))) {
    ctx.log.warn({}, 'files were not swept: the media store is not the one that this database has recorded');
    return { removed: 0, unfinished: 0 };
  }
  const before = new Date(ctx.clock.now().getTime() - ORPHAN_AFTER_MS);
  const unfinished = await ctx.media.removeUnfinished(before);
  let removed = 0;
  for (const { bucket, after } of await bucketsInTurn(ctx)) {
    for await (const page of ctx.media.list(bucket, after)) {
      if (signal.aborted) return { removed, unfinished };
      removed += await sweepPage(ctx, bucket, page, before);
      await ctx.db.call('note_file_sweep', { bucket, after: page.at(-1)?.key ?? null });
    }
    await ctx.db.call('note_file_sweep', { bucket });
  }
  return { removed, unfinished };
}

async function isOwnStore({ db, media }: SweepContext): Promise<boolean> {
  const recorded = await db.read.selectFrom('settings').select('media_store_id').executeTakeFirst();
  return recorded?.media_store_id != null && recorded.media_store_id === (await readStoreId(media));
}

/** First those whose last complete search is the longest ago, so that runs that are cut short come through all of them. */
async function bucketsInTurn({ db }: SweepContext): Promise<{ bucket: string; after: MediaKey | null }[]> {
  const rows = await db.read.selectFrom('file_sweeps').selectAll().execute();
  return BUCKETS.map((bucket) => {
    const row = rows.find((each) => each.bucket === bucket);
    return { bucket, after: row?.after_key ?? null, finishedMs: row?.finished_at?.getTime() ?? 0 };
  }).sort((a, b) => a.finishedMs - b.finishedMs);
}

async function sweepPage(ctx: SweepContext, bucket: string, page: ListedMedia[], before: Date): Promise<number> {
  const old = page.filter(({ key, modifiedAt }) => OWN_NAMES[bucket]?.test(key) && modifiedAt < before);
  const keys = old.map(({ key }) => key);
  if (keys.length === 0) return 0;
  const { wanted, strangers } = bucket === UPLOADS ? await readUploads(ctx, keys) : await readJobs(ctx, bucket, keys);
  if (strangers > STRANGERS_MAX && strangers > keys.length / 2) {
    ctx.log.error(
      { bucket, files: strangers },
      'files were not swept: most of them have no row. Was the database restored from before them?',
    );
    return 0;
  }
  return removeObjects(
    ctx,
    keys.filter((key) => !wanted.has(key)),
  );
}

/** `wanted`: the files that a row names; `strangers`: how many are of nothing that the database knows. */
type Found = { wanted: Set<MediaKey>; strangers: number };

async function readUploads({ db }: SweepContext, keys: MediaKey[]): Promise<Found> {
  const rows = await db.read.selectFrom('uploads').select('file').where('file', '=', anyOf(keys)).execute();
  const wanted = new Set(rows.map(({ file }) => file));
  return { wanted, strangers: keys.length - wanted.size };
}

/** A job's files are wanted while it may still store them, and once it is completed until it is deleted. */
async function readJobs({ db }: SweepContext, bucket: string, keys: MediaKey[]): Promise<Found> {
  const ids = keys.map((key) => jobIdOf(key) ?? '');
  const rows = await db.read
    .selectFrom('video_jobs')
    .select(['job_id', 'status', 'video_url', 'thumbnail_url', 'media_path', 'deleted_at'])
    .where('job_id', '=', anyOf(ids))
    .execute();
  const wanted = new Set<MediaKey>();
  for (const row of rows.filter(({ deleted_at }) => deleted_at === null)) {
    const stored = bucket === 'videos' ? row.video_url : row.thumbnail_url;
    const planned = `${row.media_path}.${bucket === 'videos' ? 'mp4' : 'jpg'}`;
    if (row.status === 'completed' && stored !== null) wanted.add(`${bucket}/${stored}`);
    if (row.status === 'pending' || row.status === 'processing') wanted.add(`${bucket}/${planned}`);
  }
  const known = new Set(rows.map(({ job_id }) => job_id));
  return { wanted, strangers: ids.filter((id) => !known.has(id)).length };
}

/** One parameter for a list of any length, so that the statement is the same for all. */
function anyOf(values: string[]) {
  return sql<string>`any(${values})`;
}
