import type { z } from '@hono/zod-openapi';
import { signedMediaPath } from '../../../http/signed-url.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { Context } from '../../context.ts';
import type { GenerationRow, JobStatus } from '../read.ts';
import { type VideoJob, VideoJobSummary } from './schemas.ts';

type Reader = { ctx: Pick<Context, 'mediaSigner'>; origin: string; locale: Locale };

/** A job as its owner sees it, with signed media URLs and the failure in the caller's language. */
export async function presentJob(row: GenerationRow, reader: Reader): Promise<z.infer<typeof VideoJob>> {
  const [videoUrl, thumbnailUrl] = await Promise.all([
    mediaUrl(row.video_url, 'videos', reader),
    mediaUrl(row.thumbnail_url, 'thumbnails', reader),
  ]);
  return {
    job_id: row.job_id,
    // The column's check admits exactly these.
    status: row.status as JobStatus,
    video_url: videoUrl,
    thumbnail_url: thumbnailUrl,
    progress: row.progress,
    queue_position: row.queue_position,
    error_code: row.error_code,
    error_message: failureMessage(row, reader.locale),
    prompt: row.prompt,
    model_name: row.model_name,
    credits_used: row.credits_used,
    created_at: row.created_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
  };
}

/** What a list shows of a job. */
export function summaryOf(job: z.infer<typeof VideoJob>): z.infer<typeof VideoJobSummary> {
  return VideoJobSummary.parse(job);
}

async function mediaUrl(path: string | null, bucket: string, { ctx, origin }: Reader): Promise<string | null> {
  if (path === null) return null;
  const key = `${bucket}/${path}`;
  return `${origin}${signedMediaPath(key, await ctx.mediaSigner.sign(key))}`;
}

function failureMessage(row: GenerationRow, locale: Locale): string | null {
  // fail_generation writes codes of ours alone.
  return row.error_code === null
    ? null
    : messageFor(row.error_code as ErrorCode, locale, { reason: row.error_reason, refunded: row.credits_used });
}
