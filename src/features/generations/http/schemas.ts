import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck, uuid } from '../../../http/api.ts';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { cursor, limit, offset } from '../../../http/paging.ts';
import { signedMediaPath } from '../../../http/signed-url.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { Context } from '../../context.ts';
import { type GenerationRow, JOB_STATUSES, type JobStatus } from '../read.ts';

export const GenerateVideoBody = userIdCheck.extend({
  model_id: uuid.openapi({ description: 'An `id` of `get-models`.' }),
  prompt: z.string().openapi({
    description: '3 characters to the model’s `prompt_max`, after trimming.',
    example: 'a cat playing piano',
  }),
  settings: z
    .record(z.string(), z.unknown())
    .nullish()
    .openapi({ description: 'As the model’s `settings_schema` says; what is left out takes its default.' }),
  image_url: z
    .string()
    .max(2000)
    .nullish()
    .openapi({
      description:
        'For models that need a picture: one that the caller has uploaded to `user_uploads`, by its path or any form of its ' +
        'address. Its shorter side has at least 256 pixels, and the longer one at most 2.4 times as many.',
    }),
});

export const GenerationStarted = z
  .object({
    job_id: z.uuid(),
    status: z.literal('pending'),
    credits_used: credits('The price, which has been charged'),
  })
  .openapi('GenerationStarted');

const Status = z.enum(JOB_STATUSES).openapi('JobStatus', {
  description: '`pending` → `processing` → `completed` or `failed`; the last two never change.',
});
const mediaUrlOf = (what: string) =>
  z
    .string()
    .nullable()
    .openapi({
      format: 'uri',
      description: `${what}; null until there is one. Opens by itself for 24 hours; renewed on every read.`,
    });

const jobId = uuid.openapi({ description: 'As `generate-video` answered.', example: EXAMPLE_IDS.job });

export const JobQuery = userIdCheck.extend({ job_id: jobId });
export const JobBody = userIdCheck.extend({ job_id: jobId });
export const JobsQuery = userIdCheck.extend({ limit, offset, cursor, status: Status.optional() });

export const VideoJob = z
  .object({
    job_id: z.uuid(),
    status: Status,
    video_url: mediaUrlOf('The video, an MP4'),
    thumbnail_url: mediaUrlOf('A picture of it, a JPEG'),
    progress: z.int().nullable().openapi({ description: 'In percent, where the provider tells it.' }),
    queue_position: z
      .int()
      .nullable()
      .openapi({ description: 'How many are before it at the provider, where it tells.' }),
    error_code: z
      .string()
      .nullable()
      .openapi({ description: 'Why it failed, such as `ERR_5003`; its credits are back.' }),
    error_message: z.string().nullable().openapi({ description: 'The same as a sentence, in the reader’s language.' }),
    prompt: z.string(),
    model_name: z.string().openapi({ description: 'What the model was called when this was made.' }),
    credits_used: credits('What was charged; given back where the job failed'),
    created_at: time,
    completed_at: time.nullable().openapi({ description: 'When it ended, well or not; null before.' }),
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
    total: z.int().openapi({ description: 'How many there are on all pages.' }),
    has_more: z.boolean(),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it as `cursor` for the next page; null on the last.' }),
  })
  .openapi('VideoJobs');

export const Cancelled = z
  .object({
    success: z.literal(true),
    refunded: credits('What was given back'),
    credits_remaining: credits('What there is to spend now'),
  })
  .openapi('Cancelled');

export const Deleted = z.object({ success: z.literal(true) }).openapi('Removed');

type Reader = { ctx: Context; origin: string; locale: Locale };

async function mediaUrl(path: string | null, bucket: string, { ctx, origin }: Reader): Promise<string | null> {
  if (path === null) return null;
  const key = `${bucket}/${path}`;
  return `${origin}${signedMediaPath(key, await ctx.mediaSigner.sign(key))}`;
}

/** A job as its owner sees it, with media URLs that open by themselves and the failure in the reader's language. */
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

function failureMessage(row: GenerationRow, locale: Locale): string | null {
  // fail_generation writes codes of ours alone.
  return row.error_code === null
    ? null
    : messageFor(row.error_code as ErrorCode, locale, { reason: row.error_reason, refunded: row.credits_used });
}
