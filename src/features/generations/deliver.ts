import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MediaFetchError } from '../../media/fetch-media.ts';
import type { ProbedVideo } from '../../media/probe.ts';
import { UnusableVideo } from '../../media/unusable-video.ts';
import type { VideoSource } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { failGeneration } from './fail.ts';
import type { ProviderJob } from './job.ts';
import { mediaPaths } from './media-paths.ts';
import { takePoster } from './poster.ts';

/** As long as a timer can be. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Stores a finished video that really plays, and completes its generation; what does not play fails it instead. `ended`,
 * by whomever and however, it is to be cleared up after. Where the file cannot be had just now nothing is decided:
 * `try_again`, with an address that the provider gives then.
 */
export async function deliverGeneration(
  ctx: Context,
  job: ProviderJob,
  { video: source, thumbnail }: { video: VideoSource; thumbnail: VideoSource | null },
  signal: AbortSignal,
): Promise<'ended' | 'try_again'> {
  // Names of its own: another worker may be at the same generation.
  const name = join(ctx.workDir, crypto.randomUUID());
  const posterFile = `${name}.jpg`;
  const fetchedFile = `${name}.mp4`;
  try {
    await mkdir(ctx.workDir, { recursive: true });
    const fetched = source.from === 'file' ? 'here' : await fetchOrFail(ctx, job, source.url, fetchedFile, signal);
    if (fetched === 'later') return 'try_again';
    const videoFile = source.from === 'file' ? source.path : fetchedFile;
    if (fetched === 'here') await checkAndStore(ctx, job, { videoFile, posterFile, thumbnail }, signal);
  } finally {
    await rm(posterFile, { force: true });
    await rm(fetchedFile, { force: true });
  }
  return 'ended';
}

/** The vendor's file on this machine, or a generation that has failed, or neither yet. */
async function fetchOrFail(
  ctx: Context,
  { provider, request, deadlineAt }: ProviderJob,
  url: string,
  path: string,
  signal: AbortSignal,
): Promise<'here' | 'failed' | 'later'> {
  // Past its deadline nobody waits for the file, however long its host goes on sending a byte now and then.
  const leftMs = Math.max(0, Math.min(deadlineAt.getTime() - ctx.clock.now().getTime(), TIMER_MAX_MS));
  const deadline = AbortSignal.timeout(leftMs);
  try {
    const limit = AbortSignal.any([signal, deadline]);
    await ctx.mediaFetcherFor(provider).fetchToFile(url, path, provider.mediaHosts, limit);
    return 'here';
  } catch (error) {
    if (deadline.aborted && !signal.aborted) return 'later';
    if (!(error instanceof MediaFetchError)) throw error;
    ctx.log.warn({ job_id: request.jobId, cause: error.message }, 'the finished file cannot be fetched');
    if (!error.isFinal) return 'later';
    await failGeneration(ctx, request.jobId, 'ERR_5005', error.message);
    return 'failed';
  }
}

async function checkAndStore(
  ctx: Context,
  job: ProviderJob,
  { videoFile, posterFile, thumbnail }: { videoFile: string; posterFile: string; thumbnail: VideoSource | null },
  signal: AbortSignal,
): Promise<void> {
  const probed = await probeOrFail(ctx, job.request.jobId, videoFile, posterFile, signal);
  if (!probed) return;
  await takePoster(ctx, job.provider, thumbnail, posterFile, signal);
  await storeAndFinish(ctx, job, videoFile, posterFile, probed, signal);
}

async function probeOrFail(
  ctx: Context,
  jobId: string,
  videoFile: string,
  posterFile: string,
  signal: AbortSignal,
): Promise<ProbedVideo | null> {
  try {
    return await ctx.probe.probe(videoFile, { posterPath: posterFile }, signal);
  } catch (error) {
    if (!(error instanceof UnusableVideo)) throw error;
    await failGeneration(ctx, jobId, 'ERR_5005', error.reason);
    return null;
  }
}

async function storeAndFinish(
  ctx: Context,
  job: ProviderJob,
  videoFile: string,
  posterFile: string,
  probed: ProbedVideo,
  signal: AbortSignal,
): Promise<void> {
  const paths = mediaPaths(job.userId, job.createdAt, job.request.jobId);
  const video = await ctx.media.putFile(`videos/${paths.video}`, videoFile, signal);
  // A probe that cannot decode pictures leaves none: the video is delivered all the same.
  const hasPoster = await access(posterFile).then(
    () => true,
    () => false,
  );
  if (hasPoster) await ctx.media.putFile(`thumbnails/${paths.thumbnail}`, posterFile, signal);
  await ctx.db.call<boolean>('finish_generation', {
    job_id: job.request.jobId,
    video_path: paths.video,
    thumbnail_path: hasPoster ? paths.thumbnail : null,
    video_bytes: video.bytes,
    video_sha256: video.sha256,
    video_seconds: probed.durationSeconds,
  });
}
