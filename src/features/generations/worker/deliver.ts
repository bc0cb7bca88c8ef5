import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../../kernel/errors.ts';
import { MediaFetchError } from '../../../media/fetch-media.ts';
import type { ProbedVideo } from '../../../media/probed-video.ts';
import { UnusableVideo } from '../../../media/unusable-video.ts';
import { makeFolder } from '../../../platform/make-folder.ts';
import type { VideoSource } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';
import type { ProviderJob } from '../job.ts';
import { failGeneration } from './fail.ts';
import { fetchThumbnail } from './thumbnail.ts';

/** The longest delay that a timer accepts. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export type DeliveryContext = Pick<
  Context,
  'clock' | 'db' | 'log' | 'media' | 'mediaFetcherFor' | 'newUuid' | 'probe' | 'workDir'
>;

/** Paths in the work folder. */
type Files = { video: string; thumbnail: string };

/**
 * Stores a finished video that plays and completes its generation; a video that does not play fails it. `ended`: the generation
 * has ended, by this call or another, and is to be cleaned up. `try_again`: the file could not be fetched or stored now
 * and nothing is decided; the provider is then asked for its URL again.
 */
export async function deliverGeneration(
  ctx: DeliveryContext,
  job: ProviderJob,
  { video: source, thumbnail }: { video: VideoSource; thumbnail: VideoSource | null },
  signal: AbortSignal,
): Promise<'ended' | 'try_again'> {
  // A unique name: another worker may be delivering the same generation.
  const name = join(ctx.workDir, ctx.newUuid());
  const thumbnailFile = `${name}.jpg`;
  const fetchedFile = `${name}.mp4`;
  try {
    await makeFolder(ctx.workDir);
    const fetched = source.from === 'file' ? 'fetched' : await fetchOrFail(ctx, job, source.url, fetchedFile, signal);
    if (fetched === 'later') return 'try_again';
    if (fetched === 'fetched') {
      const video = source.from === 'file' ? source.path : fetchedFile;
      await checkAndStore(ctx, job, { video, thumbnail: thumbnailFile }, thumbnail, signal);
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'ERR_6002') throw error;
    ctx.log.warn({ job_id: job.request.jobId, cause: String(error.cause) }, 'the finished video could not be stored');
    return 'try_again';
  } finally {
    await rm(thumbnailFile, { force: true });
    await rm(fetchedFile, { force: true });
  }
  return 'ended';
}

/** `failed`: the file can never be fetched, and the generation has failed. */
async function fetchOrFail(
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'mediaFetcherFor'>,
  { provider, request, deadlineAt }: ProviderJob,
  url: string,
  path: string,
  signal: AbortSignal,
): Promise<'fetched' | 'failed' | 'later'> {
  // Past the job's deadline the file is not needed: a host that sends slowly is cut off.
  const leftMs = Math.max(0, Math.min(deadlineAt.getTime() - ctx.clock.now().getTime(), TIMER_MAX_MS));
  const deadline = AbortSignal.timeout(leftMs);
  try {
    const limit = AbortSignal.any([signal, deadline]);
    await ctx.mediaFetcherFor(provider).fetchToFile(url, path, provider.mediaHosts, limit);
    return 'fetched';
  } catch (error) {
    if (deadline.aborted && !signal.aborted) return 'later';
    if (!(error instanceof MediaFetchError)) throw error;
    ctx.log.warn({ job_id: request.jobId, cause: error.message }, 'the finished video could not be fetched');
    if (!error.isFinal) return 'later';
    await failGeneration(ctx, request.jobId, 'ERR_5005', error.message);
    return 'failed';
  }
}

async function checkAndStore(
  ctx: Pick<Context, 'db' | 'log' | 'media' | 'mediaFetcherFor' | 'probe'>,
  job: ProviderJob,
  files: Files,
  thumbnail: VideoSource | null,
  signal: AbortSignal,
): Promise<void> {
  const probed = await probeOrFail(ctx, job.request.jobId, files, signal);
  if (!probed) return;
  await fetchThumbnail(ctx, job.provider, thumbnail, files.thumbnail, signal);
  await storeAndFinish(ctx, job, files, probed, signal);
}

async function probeOrFail(
  ctx: Pick<Context, 'db' | 'log' | 'probe'>,
  jobId: string,
  files: Files,
  signal: AbortSignal,
): Promise<ProbedVideo | null> {
  try {
    return await ctx.probe.probe(files.video, { thumbnailPath: files.thumbnail }, signal);
  } catch (error) {
    if (!(error instanceof UnusableVideo)) throw error;
    await failGeneration(ctx, jobId, 'ERR_5005', error.reason);
    return null;
  }
}

async function storeAndFinish(
  ctx: Pick<Context, 'db' | 'media'>,
  job: ProviderJob,
  files: Files,
  probed: ProbedVideo,
  signal: AbortSignal,
): Promise<void> {
  const { videoPath, thumbnailPath } = job;
  // A check on the table ensures that a processing job has a media path.
  if (!videoPath) throw new Error('a job without a media path');
  const stored = await ctx.media.putFile(`videos/${videoPath}`, files.video, signal);
  // A probe that cannot decode makes no thumbnail: the video is delivered without one.
  const hasThumbnail = await access(files.thumbnail).then(
    () => true,
    () => false,
  );
  if (hasThumbnail) await ctx.media.putFile(`thumbnails/${thumbnailPath}`, files.thumbnail, signal);
  await ctx.db.call('finish_generation', {
    job_id: job.request.jobId,
    video_path: videoPath,
    thumbnail_path: hasThumbnail ? thumbnailPath : null,
    video_bytes: stored.bytes,
    video_sha256: stored.sha256,
    video_seconds: probed.durationSeconds,
  });
}
