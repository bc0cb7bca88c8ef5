import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck, userIdQuery, uuid } from '../../../http/api.ts';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { cursor, limit, offset } from '../../../http/paging.ts';
import { JOB_STATUSES } from '../read.ts';

export const GenerateVideoBody = userIdCheck.extend({
  model_id: uuid.openapi({ description: 'The `id` of a model from `get-models`.' }),
  prompt: z.string().openapi({
    description: 'What the video should show: from 3 characters to the model’s `prompt_max`, after trimming.',
    example: 'a cat playing piano',
  }),
  settings: z.record(z.string(), z.unknown()).nullish().openapi({
    description: 'Settings of the model’s `settings_schema`. Settings that are left out take their defaults.',
  }),
  image_url: z
    .string()
    .max(2000)
    .nullish()
    .openapi({
      description:
        'For models that need an image: an image that the caller has uploaded to `user_uploads`, as its path or any of its ' +
        'URLs. Its shorter side must have at least 256 pixels, and its longer side at most 2.4 times as many.',
    }),
});

export const GenerationStarted = z
  .object({
    job_id: z.uuid(),
    status: z.literal('pending'),
    credits_used: credits('The price that was charged'),
  })
  .openapi('GenerationStarted');

const Status = z.enum(JOB_STATUSES).openapi('JobStatus', {
  description: '`pending` → `processing` → `completed` or `failed`. The last two are final.',
});
const mediaUrlOf = (what: string) =>
  z
    .string()
    .nullable()
    .openapi({
      format: 'uri',
      description: `${what}; null until it exists. Valid for 24 hours; every read returns a newly signed URL.`,
    });

const jobId = uuid.openapi({ description: 'The `job_id` that `generate-video` returned.', example: EXAMPLE_IDS.job });

export const JobQuery = userIdQuery.extend({ job_id: jobId });
export const JobBody = userIdCheck.extend({ job_id: jobId });
/** Of a DELETE, which names its job in the query or in the body. */
export const DeleteQuery = userIdQuery.extend({ job_id: jobId.optional() });
export const DeleteBody = userIdCheck.extend({ job_id: jobId.nullish().openapi({ type: ['string', 'null'] }) });
export const JobsQuery = userIdQuery.extend({ limit, offset, cursor, status: Status.optional() });

export const VideoJob = z
  .object({
    job_id: z.uuid(),
    status: Status,
    video_url: mediaUrlOf('The signed URL of the video (MP4)'),
    thumbnail_url: mediaUrlOf('The signed URL of the thumbnail (JPEG)'),
    progress: z.int().nullable().openapi({ description: 'In percent, if the provider reports it.' }),
    queue_position: z
      .int()
      .nullable()
      .openapi({ description: 'The number of jobs ahead of it at the provider, if the provider reports it.' }),
    error_code: z
      .string()
      .nullable()
      .openapi({ description: 'Why the job failed, such as `ERR_5003`. Its credits are refunded.' }),
    error_message: z.string().nullable().openapi({ description: 'The reason as a message in the caller’s language.' }),
    prompt: z.string(),
    model_id: z.uuid().openapi({ description: 'The `id` of the model, which `get-models` may list no longer.' }),
    model_name: z.string().openapi({ description: 'The name of the model when the job was created.' }),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).openapi({
      description: 'Every setting of the model as it was charged, defaults included.',
      example: { duration: 4, aspect_ratio: '9:16' },
    }),
    image_url: z.string().nullable().openapi({
      description:
        'The storage path of the image that the video was made from, to send as `image_url` again; null without one.',
    }),
    credits_used: credits('The price that was charged; refunded if the job failed'),
    created_at: time,
    completed_at: time.nullable().openapi({ description: 'When the job completed or failed; null before.' }),
    video_removed_at: time.optional().openapi({
      description: 'When the files of a completed job were removed because of their age; absent otherwise.',
    }),
  })
  .openapi('VideoJob');

/** A job in a list. */
export const VideoJobSummary = VideoJob.pick({
  job_id: true,
  prompt: true,
  model_id: true,
  model_name: true,
  settings: true,
  image_url: true,
  credits_used: true,
  status: true,
  error_code: true,
  video_url: true,
  thumbnail_url: true,
  created_at: true,
});

export const VideoJobs = z
  .object({
    jobs: z.array(VideoJobSummary),
    total: z.int().openapi({ description: 'The number of jobs on all pages.' }),
    has_more: z.boolean(),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it as `cursor` to get the next page; null on the last page.' }),
  })
  .openapi('VideoJobs');

export const Cancelled = z
  .object({
    success: z.literal(true),
    refunded: credits('The refund'),
    credits_remaining: credits('The balance after the refund'),
  })
  .openapi('Cancelled');

export const Deleted = z.object({ success: z.literal(true) }).openapi('Removed');
