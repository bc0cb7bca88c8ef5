import type { z } from '@hono/zod-openapi';
import { signedMediaPath } from '../../../http/signed-url.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { Context } from '../../context.ts';
import type { GenerationRow, JobStatus } from '../read.ts';
import { type VideoJob, VideoJobSummary } from './schemas.ts';

type Viewer = { ctx: Pick<Context, 'mediaSigner'>; origin: string; locale: Locale };

/** Formats a job for its owner, with signed media URLs and the failure message in the caller's language. */
export async function presentJob(row: GenerationRow, viewer: Viewer): Promise<z.infer<typeof VideoJob>> {
  const [videoUrl, thumbnailUrl] = await Promise.all([
    mediaUrl(row.video_url, 'videos', viewer),
    mediaUrl(row.thumbnail_url, 'thumbnails', viewer),
  ]);
  return {
    job_id: row.job_id,
    // A check on the column allows only these values.
    status: row.status as JobStatus,
    video_url: videoUrl,
    thumbnail_url: thumbnailUrl,
    progress: row.progress,
    queue_position: row.queue_position,
    error_code: row.error_code,
    error_message: failureMessage(row, viewer.locale),
    prompt: row.prompt,
    model_id: row.model_id,
    model_name: row.model_name,
    // begin_generation stores what `completeSettings` returned: a flat object of these values.
    settings: row.settings as z.infer<typeof VideoJob>['settings'],
    image_url: row.image_url,
    credits_used: row.credits_used,
    created_at: row.created_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    ...(row.video_removed_at ? { video_removed_at: row.video_removed_at.toISOString() } : {}),
  };
}

/** Returns the fields of a job that lists contain. */
export function summaryOf(job: z.infer<typeof VideoJob>): z.infer<typeof VideoJobSummary> {
  return VideoJobSummary.parse(job);
}

async function mediaUrl(path: string | null, bucket: string, { ctx, origin }: Viewer): Promise<string | null> {
  if (path === null) return null;
  const key = `${bucket}/${path}`;
  return `${origin}${signedMediaPath(key, await ctx.mediaSigner.sign(key))}`;
}

function failureMessage(row: GenerationRow, locale: Locale): string | null {
  // fail_generation writes only our own codes.
  return row.error_code === null
    ? null
    : messageFor(row.error_code as ErrorCode, locale, { reason: row.error_reason, refunded: row.credits_used });
}
