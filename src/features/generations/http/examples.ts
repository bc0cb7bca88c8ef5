/** Example values of these routes: one video, from the request to its end. */
import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { Cancelled, GenerateVideoBody, GenerationStarted, VideoJob, VideoJobs } from './schemas.ts';

const PROMPT = 'a cat playing piano';
const SIGNED = 'token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ';
const MEDIA = 'http://localhost:8787/storage/v1/object/sign';
const FILE = `${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}`;

export const SHORTEST: z.input<typeof GenerateVideoBody> = { model_id: EXAMPLE_IDS.model, prompt: PROMPT };
export const WITH_SETTINGS: z.input<typeof GenerateVideoBody> = {
  ...SHORTEST,
  settings: { duration: 4, aspect_ratio: '9:16' },
};

export const STARTED: z.input<typeof GenerationStarted> = {
  job_id: EXAMPLE_IDS.job,
  status: 'pending',
  credits_used: 4,
};

export const COMPLETED: z.input<typeof VideoJob> = {
  job_id: EXAMPLE_IDS.job,
  status: 'completed',
  video_url: `${MEDIA}/videos/${FILE}.mp4?${SIGNED}`,
  thumbnail_url: `${MEDIA}/thumbnails/${FILE}.jpg?${SIGNED}`,
  progress: 100,
  queue_position: null,
  error_code: null,
  error_message: null,
  prompt: PROMPT,
  model_id: EXAMPLE_IDS.model,
  model_name: 'Cinematic',
  settings: { duration: 4, resolution: '720p', aspect_ratio: '9:16', audio: false },
  image_url: null,
  credits_used: 4,
  created_at: '2026-11-23T09:31:00.000Z',
  completed_at: '2026-11-23T09:31:42.000Z',
};

export const PROCESSING: z.input<typeof VideoJob> = {
  ...COMPLETED,
  status: 'processing',
  video_url: null,
  thumbnail_url: null,
  progress: 40,
  completed_at: null,
};

export const FAILED: z.input<typeof VideoJob> = {
  ...PROCESSING,
  status: 'failed',
  error_code: 'ERR_5003',
  error_message: messageFor('ERR_5003', 'en', { refunded: COMPLETED.credits_used }),
  completed_at: COMPLETED.completed_at,
};

export const PAGE: z.input<typeof VideoJobs> = {
  jobs: [
    {
      job_id: COMPLETED.job_id,
      prompt: COMPLETED.prompt,
      model_id: COMPLETED.model_id,
      model_name: COMPLETED.model_name,
      settings: COMPLETED.settings,
      image_url: COMPLETED.image_url,
      credits_used: COMPLETED.credits_used,
      status: COMPLETED.status,
      error_code: COMPLETED.error_code,
      video_url: COMPLETED.video_url,
      thumbnail_url: COMPLETED.thumbnail_url,
      created_at: COMPLETED.created_at,
    },
  ],
  total: 21,
  has_more: true,
  next_cursor: 'MTg0',
};

export const CANCELLED: z.input<typeof Cancelled> = { success: true, refunded: 4, credits_remaining: 10 };
