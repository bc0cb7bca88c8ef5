import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck, uuid } from '../../../http/api.ts';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { cursor, limit, offset } from '../../../http/paging.ts';
import { JOB_STATUSES } from '../read.ts';

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
        'For models that need an image: one that the caller has uploaded to `user_uploads`, by its path or any form of its ' +
        'URL. Its shorter side has at least 256 pixels, and the longer one at most 2.4 times as many.',
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
      description: `${what}; null until there is one. Signed, valid for 24 hours; renewed on every read.`,
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
    thumbnail_url: mediaUrlOf('A thumbnail of it, a JPEG'),
    progress: z.int().nullable().openapi({ description: 'In percent, where the provider says.' }),
    queue_position: z
      .int()
      .nullable()
      .openapi({ description: 'How many jobs are before it at the provider, where the provider says.' }),
    error_code: z
      .string()
      .nullable()
      .openapi({ description: 'Why it failed, such as `ERR_5003`; its credits are refunded.' }),
    error_message: z.string().nullable().openapi({ description: 'The same as a sentence, in the caller’s language.' }),
    prompt: z.string(),
    model_name: z.string().openapi({ description: 'What the model was called when this was made.' }),
    credits_used: credits('What was charged; refunded where the job failed'),
    created_at: time,
    completed_at: time.nullable().openapi({ description: 'When it ended, completed or failed; null before.' }),
  })
  .openapi('VideoJob');

/** A job in a list. */
export const VideoJobSummary = VideoJob.pick({
  job_id: true,
  prompt: true,
  model_name: true,
  credits_used: true,
  status: true,
  video_url: true,
  thumbnail_url: true,
  created_at: true,
});

export const VideoJobs = z
  .object({
    jobs: z.array(VideoJobSummary),
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
    refunded: credits('What was refunded'),
    credits_remaining: credits('What there is to spend now'),
  })
  .openapi('Cancelled');

export const Deleted = z.object({ success: z.literal(true) }).openapi('Removed');
