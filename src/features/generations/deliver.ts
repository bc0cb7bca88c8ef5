import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProbedVideo } from '../../media/probe.ts';
import { UnusableVideo } from '../../media/unusable-video.ts';
import type { Context } from '../context.ts';
import { failGeneration } from './fail.ts';
import type { ProviderJob } from './job.ts';
import { mediaPaths } from './media-paths.ts';
import { stopGeneration } from './stop.ts';

/** Stores a finished video that really plays, and completes its generation; what does not play fails it instead. */
export async function deliverGeneration(
  ctx: Context,
  job: ProviderJob,
  videoFile: string,
  signal: AbortSignal,
): Promise<void> {
  const { jobId } = job.request;
  // A name of its own: another worker may be at the same generation.
  const posterFile = join(ctx.workDir, `${crypto.randomUUID()}.jpg`);
  try {
    await mkdir(ctx.workDir, { recursive: true });
    const probed = await probeOrFail(ctx, jobId, videoFile, posterFile, signal);
    if (probed) await storeAndFinish(ctx, job, videoFile, posterFile, probed, signal);
  } finally {
    await rm(posterFile, { force: true });
  }
  // Whoever ended it, and however: files stay where it is completed, and nowhere else.
  await stopGeneration(ctx, jobId, signal);
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
  await ctx.media.putFile(`thumbnails/${paths.thumbnail}`, posterFile, signal);
  await ctx.db.call<boolean>('finish_generation', {
    job_id: job.request.jobId,
    video_path: paths.video,
    thumbnail_path: paths.thumbnail,
    video_bytes: video.bytes,
    video_sha256: video.sha256,
    video_seconds: probed.durationSeconds,
  });
}
