import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProbedVideo } from '../../media/probe.ts';
import { UnusableVideo } from '../../media/unusable-video.ts';
import type { Context } from '../context.ts';
import { failGeneration } from './fail.ts';
import type { ProviderJob } from './job.ts';
import { mediaPaths } from './media-paths.ts';

/** Stores a finished video that really plays, and completes its generation; what does not play fails it instead. */
export async function deliverGeneration(
  ctx: Context,
  job: ProviderJob,
  videoFile: string,
  signal: AbortSignal,
): Promise<void> {
  const { jobId } = job.request;
  const posterFile = join(ctx.workDir, `${jobId}.jpg`);
  try {
    const probed = await probeOrFail(ctx, jobId, videoFile, posterFile, signal);
    if (probed && !(await storeAndFinish(ctx, job, videoFile, posterFile, probed, signal))) {
      // Cancelled or past its deadline while the file was on its way: no file without a completed job.
      await removeMedia(ctx, job);
    }
  } finally {
    await rm(posterFile, { force: true });
  }
  await job.provider.release(jobId);
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
): Promise<boolean> {
  const paths = mediaPaths(job.userId, job.createdAt, job.request.jobId);
  const video = await ctx.media.putFile(`videos/${paths.video}`, videoFile, signal);
  await ctx.media.putFile(`thumbnails/${paths.thumbnail}`, posterFile, signal);
  return ctx.db.call<boolean>('finish_generation', {
    job_id: job.request.jobId,
    video_path: paths.video,
    thumbnail_path: paths.thumbnail,
    video_bytes: video.bytes,
    video_sha256: video.sha256,
    video_seconds: probed.durationSeconds,
  });
}

/** Removes both files of a generation, whether or not they are there. */
export async function removeMedia(
  ctx: Context,
  job: Pick<ProviderJob, 'userId' | 'createdAt' | 'request'>,
): Promise<void> {
  const paths = mediaPaths(job.userId, job.createdAt, job.request.jobId);
  await ctx.media.remove(`videos/${paths.video}`);
  await ctx.media.remove(`thumbnails/${paths.thumbnail}`);
}
