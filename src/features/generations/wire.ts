import { z } from '@hono/zod-openapi';
import { time, userIdCheck, uuid } from '../../http/api.ts';
import { cursor, limit, offset } from '../../http/paging.ts';
import { signedMediaPath } from '../../http/signed-url.ts';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import { messageFor } from '../../kernel/messages/index.ts';
import type { Context } from '../context.ts';
import { type GenerationRow, JOB_STATUSES, type JobStatus } from './read.ts';

export const GenerateVideoBody = userIdCheck.extend({
  model_id: uuid,
  prompt: z.string().openapi({ example: 'a cat playing piano' }),
  settings: z
    .record(z.string(), z.unknown())
    .nullish()
    .openapi({ description: 'As the model’s `settings_schema` says; what is left out takes its default.' }),
  image_url: z.string().max(2000).nullish().openapi({ description: 'A picture of the caller’s in `user_uploads`.' }),
});

export const GenerationStarted = z
  .object({ job_id: z.uuid(), status: z.literal('pending'), credits_used: z.int() })
  .openapi('GenerationStarted');

const Status = z.enum(JOB_STATUSES);

export const JobQuery = userIdCheck.extend({ job_id: uuid });
export const JobBody = userIdCheck.extend({ job_id: uuid });
export const JobsQuery = userIdCheck.extend({ limit, offset, cursor, status: Status.optional() });

export const VideoJob = z
  .object({
    job_id: z.uuid(),
    status: Status,
    video_url: z.string().nullable().openapi({ description: 'Opens by itself for 24 hours; renewed on every read.' }),
    thumbnail_url: z.string().nullable(),
    progress: z.int().nullable().openapi({ description: 'Percent' }),
    queue_position: z.int().nullable(),
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
    prompt: z.string(),
    model_name: z.string(),
    credits_used: z.int(),
    created_at: time,
    completed_at: time.nullable(),
  })
  .openapi('VideoJob');

export const VideoJobs = z
  .object({
    jobs: z.array(
      VideoJob.pick({
        job_id: true,
        prompt: true,
        model_name: true,
        credits_used: true,
        status: true,
        video_url: true,
        thumbnail_url: true,
        created_at: true,
      }),
    ),
    total: z.int(),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  })
  .openapi('VideoJobs');

export const Cancelled = z
  .object({
    success: z.literal(true),
    refunded: z.int().openapi({ description: 'Credits given back' }),
    credits_remaining: z.int(),
  })
  .openapi('Cancelled');

export const Removed = z.object({ success: z.literal(true) }).openapi('Removed');

type Reader = { ctx: Context; origin: string; locale: Locale };

async function mediaUrl(path: string | null, bucket: string, { ctx, origin }: Reader): Promise<string | null> {
  if (path === null) return null;
  const key = `${bucket}/${path}`;
  return `${origin}${signedMediaPath(key, await ctx.mediaSigner.sign(key))}`;
}

/** A job as its owner sees it, with media URLs that open by themselves and the failure in the reader's language. */
export async function jobOnWire(row: GenerationRow, reader: Reader): Promise<z.infer<typeof VideoJob>> {
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

function failureMessage(row: GenerationRow, locale: Locale): string | null {
  // fail_generation writes codes of ours alone.
  return row.error_code === null
    ? null
    : messageFor(row.error_code as ErrorCode, locale, { refunded: row.credits_used });
}
