import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../../kernel/errors.ts';
import { MediaFetchError } from '../../../media/fetch-media.ts';
import type { ExpectedVideo, ProbedVideo } from '../../../media/probed-video.ts';
import { type UnusableReason, UnusableVideo } from '../../../media/unusable-video.ts';
import { makeFolder } from '../../../platform/make-folder.ts';
import type { VideoSource } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';
import type { ProviderJob } from '../job.ts';
import { failGeneration } from './fail.ts';
import { fetchThumbnail } from './thumbnail.ts';

/** The longest delay that a timer accepts. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** What a host's page, half of a file, or nothing looks like to the probe: the file itself may come later. */
const PERHAPS_NOT_THE_FILE: ReadonlySet<UnusableReason> = new Set([
  ...(['empty', 'not_a_video', 'no_video_track', 'no_duration'] as const),
  ...(['truncated', 'incomplete', 'too_short', 'undecodable'] as const),
]);

export type DeliveryContext = Pick<
  Context,
  'clock' | 'db' | 'log' | 'media' | 'mediaFetcherFor' | 'metrics' | 'newUuid' | 'probe' | 'workDir'
>;

/**
 * Paths in the work folder. `playable`: the video in a form that phones play, where the provider's is none. `isWhole`: the video is
 * the provider's file, to the last byte.
 */
type Files = { video: string; playable: string; thumbnail: string; expected: ExpectedVideo; isWhole: boolean };

/** Why there is no video yet. `isNotReady`: its host has something else for now, or nothing. */
export type Undelivered = { cause: string; isNotReady: boolean };

/**
 * Stores a finished video that plays and completes its generation; a video that does not play fails it. `ended`: the generation
 * has ended, by this call or another, and is to be cleaned up. `Undelivered`: nothing is decided; the provider is then asked for
 * the file's URL again.
 */
export async function deliverGeneration(
  ctx: DeliveryContext,
  job: ProviderJob,
  { video: source, thumbnail }: { video: VideoSource; thumbnail: VideoSource | null },
  signal: AbortSignal,
): Promise<'ended' | Undelivered> {
  // A unique name: another worker may be delivering the same generation.
  const name = join(ctx.workDir, ctx.newUuid());
  const thumbnailFile = `${name}.jpg`;
  const fetchedFile = `${name}.mp4`;
  const playableFile = `${name}.playable.mp4`;
  try {
    await makeFolder(ctx.workDir);
    if (source.from === 'url') await fetchFile(ctx, job, source, fetchedFile, signal);
    const video = source.from === 'file' ? source.path : fetchedFile;
    const bytes = source.from === 'url' ? source.bytes : undefined;
    const isWhole = source.from === 'file' || bytes !== undefined;
    const expected = { seconds: job.request.settings.duration, bytes };
    const files = { video, playable: playableFile, thumbnail: thumbnailFile, expected, isWhole };
    await checkAndStore(ctx, job, files, thumbnail, signal);
  } catch (error) {
    if (error instanceof Problem && error.code === 'ERR_6002') {
      ctx.log.warn({ job_id: job.request.jobId, cause: String(error.cause) }, 'the finished video could not be stored');
      return { cause: 'the video could not be stored', isNotReady: false };
    }
    if (!(error instanceof MediaFetchError)) throw error;
    ctx.log.warn({ job_id: job.request.jobId, cause: error.message }, 'the finished video could not be fetched');
    if (!error.isFinal) return { cause: error.message, isNotReady: error.isNotReady };
    await failGeneration(ctx, job.request.jobId, 'ERR_5005', error.message);
  } finally {
    await rm(thumbnailFile, { force: true });
    await rm(fetchedFile, { force: true });
    await rm(playableFile, { force: true });
  }
  return 'ended';
}

/** Throws a `MediaFetchError`. */
async function fetchFile(
  ctx: Pick<Context, 'clock' | 'mediaFetcherFor'>,
  { provider, deadlineAt }: ProviderJob,
  { url, bytes }: { url: string; bytes?: number },
  path: string,
  signal: AbortSignal,
): Promise<void> {
  // Past the job's deadline the file is not needed: a host that sends slowly is cut off.
  const leftMs = Math.max(0, Math.min(deadlineAt.getTime() - ctx.clock.now().getTime(), TIMER_MAX_MS));
  const deadline = AbortSignal.timeout(leftMs);
  try {
    const limit = AbortSignal.any([signal, deadline]);
    await ctx.mediaFetcherFor(provider).fetchToFile(url, path, provider.mediaHosts, limit, bytes);
  } catch (error) {
    if (!deadline.aborted || signal.aborted) throw error;
    throw new MediaFetchError('the deadline has passed', { isFinal: false, cause: error });
  }
}

async function checkAndStore(
  ctx: DeliveryContext,
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
  ctx: Pick<Context, 'db' | 'log' | 'metrics' | 'probe'>,
  jobId: string,
  files: Files,
  signal: AbortSignal,
): Promise<ProbedVideo | null> {
  try {
    const { video, playable, thumbnail, expected } = files;
    return await ctx.probe.probe(video, { thumbnailPath: thumbnail, playablePath: playable, expected }, signal);
  } catch (error) {
    if (!(error instanceof UnusableVideo)) throw error;
    if (!files.isWhole && PERHAPS_NOT_THE_FILE.has(error.reason)) {
      throw new MediaFetchError(error.message, { isFinal: false, isNotReady: true, cause: error });
    }
    await failGeneration(ctx, jobId, 'ERR_5005', error.reason);
    return null;
  }
}

async function storeAndFinish(
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'media' | 'metrics'>,
  job: ProviderJob,
  files: Files,
  probed: ProbedVideo,
  signal: AbortSignal,
): Promise<void> {
  const { videoPath, thumbnailPath } = job;
  // A check on the table ensures that a processing job has a media path.
  if (!videoPath) throw new Error('a job without a media path');
  const video = probed.isConverted ? files.playable : files.video;
  const stored = await ctx.media.putFile(`videos/${videoPath}`, video, signal);
  // A probe that cannot decode makes no thumbnail: the video is delivered without one.
  const hasThumbnail = await access(files.thumbnail).then(
    () => true,
    () => false,
  );
  if (hasThumbnail) await ctx.media.putFile(`thumbnails/${thumbnailPath}`, files.thumbnail, signal);
  const isFinished = await ctx.db.call('finish_generation', {
    job_id: job.request.jobId,
    video_path: videoPath,
    thumbnail_path: hasThumbnail ? thumbnailPath : null,
    video_bytes: stored.bytes,
    video_sha256: stored.sha256,
    video_seconds: probed.durationSeconds,
  });
  if (isFinished) reportCompleted(ctx, job);
}

function reportCompleted(
  { clock, log, metrics }: Pick<Context, 'clock' | 'log' | 'metrics'>,
  { provider: { name: provider }, request, begunAt }: ProviderJob,
): void {
  const seconds = (clock.now().getTime() - begunAt.getTime()) / 1_000;
  metrics.observe('rendio_generation_seconds', { provider }, seconds);
  const fields = { job_id: request.jobId, provider, seconds };
  log.info({ event: 'video_generation_completed', ...fields }, 'a video was completed');
}
