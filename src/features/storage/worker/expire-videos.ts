import type { Context } from '../../context.ts';
import { removeObjects } from './remove-objects.ts';

/** Videos in one statement: each job is written anew into a dozen indexes. */
const BATCH = 50;

/**
 * Removes the files of videos that were completed more than `days` days ago; their jobs stay, without URLs. First the jobs, so that no
 * answer names a file that is gone; a file that then stays behind is found by `sweepFiles`. Returns how many videos.
 */
export async function expireVideos(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  days: number,
  signal: AbortSignal,
): Promise<number> {
  let videos = 0;
  while (!signal.aborted) {
    const files = await ctx.db.call('expire_videos', { days, limit: BATCH });
    await removeObjects(
      ctx,
      files.flatMap(({ video, thumbnail }) => [`videos/${video}`, ...(thumbnail ? [`thumbnails/${thumbnail}`] : [])]),
    );
    videos += files.length;
    if (files.length < BATCH) break;
  }
  return videos;
}
