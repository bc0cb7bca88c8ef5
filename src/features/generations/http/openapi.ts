import { EXAMPLE_IDS, headerParameter, jsonContent, LANGUAGE_PARAMETER } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { CANCELLED, COMPLETED, FAILED, PAGE, PROCESSING, SHORTEST, STARTED, WITH_SETTINGS } from './examples.ts';
import {
  Cancelled,
  Deleted,
  GenerateVideoBody,
  GenerationStarted,
  JobBody,
  JobQuery,
  JobsQuery,
  VideoJob,
  VideoJobs,
} from './schemas.ts';

const TAGS = ['Video jobs'];
const KEY = 'Idempotency-Key';
const THIS_JOB = { job: { summary: 'A job of the caller’s', value: { job_id: EXAMPLE_IDS.job } } };

export const GENERATE_VIDEO = userRoute({
  method: 'post',
  path: '/functions/v1/generate-video',
  tags: TAGS,
  operationId: 'generateVideo',
  summary: 'Pay for one video and start it',
  description:
    'Charges the price and answers at once; the video is made in the background. Create an `Idempotency-Key` (UUID) for each ' +
    'new request and keep it until an answer has come: sent again with the same body, it gets the first answer again, ' +
    'marked by `X-Idempotent-Replay`, and never pays twice. Only a charge uses up a key; it is kept for 24 hours. What fails ' +
    'later is the job’s `error_code`, with the credits refunded.',
  parameters: [
    headerParameter(KEY, 'A UUID that the caller creates: the same key never pays twice.', {
      format: 'uuid',
      required: true,
    }),
  ],
  request: {
    body: jsonContent(GenerateVideoBody, {
      shortest: { summary: 'With the model’s default settings', value: SHORTEST },
      settings: { summary: 'With settings', value: WITH_SETTINGS },
    }),
  },
  fieldCodes: { model_id: 'ERR_4002', prompt: 'ERR_4003' },
  answer: {
    schema: GenerationStarted,
    description: 'The job, charged and started',
    example: STARTED,
    headers: ['IdempotentReplay'],
    errors: ['ERR_4001', 'ERR_4002', 'ERR_4003', 'ERR_4008', 'ERR_4009', 'ERR_5002'],
    details: { ERR_4004: { retry_after: 1200 }, ERR_4008: { reason: 'in_progress' } },
  },
});

/** The same under two names. */
export const GET_STATUS = (['get-video-status', 'check-video-job-status'] as const).map((name) =>
  userRoute({
    method: 'get',
    path: `/functions/v1/${name}`,
    tags: TAGS,
    operationId: name === 'get-video-status' ? 'getVideoStatus' : 'checkVideoJobStatus',
    summary: name === 'get-video-status' ? 'The status of a job' : 'The same as get-video-status',
    description:
      'Reads our own records alone, so an app may call it as often as it likes. `completed` means that the file is stored ' +
      'here and plays; `failed` says why, and the credits are refunded. Another user’s job and none are the same 404.',
    parameters: [LANGUAGE_PARAMETER],
    request: { query: JobQuery },
    answer: {
      schema: VideoJob,
      description: 'The job',
      example: COMPLETED,
      otherExamples: {
        processing: { summary: 'While it is being made', value: PROCESSING },
        failed: { summary: 'When it has failed', value: FAILED },
      },
      errors: ['ERR_4007'],
      details: { ERR_4006: { field: 'job_id', reason: 'missing' } },
    },
  }),
);

export const GET_JOBS = userRoute({
  method: 'get',
  path: '/functions/v1/get-video-jobs',
  tags: TAGS,
  operationId: 'getVideoJobs',
  summary: 'The caller’s jobs, newest first',
  description:
    'Follow `next_cursor`: a page costs the same however far back it lies, and nothing is shown twice when new jobs ' +
    'arrive. `offset` is for small lists, and is ignored beside a `cursor`.',
  request: { query: JobsQuery },
  answer: {
    schema: VideoJobs,
    description: 'A page of jobs',
    example: PAGE,
    details: { ERR_4006: { field: 'status', allowed: ['pending', 'processing', 'completed', 'failed'] } },
  },
});

export const CANCEL_JOB = userRoute({
  method: 'post',
  path: '/functions/v1/cancel-video-job',
  tags: TAGS,
  operationId: 'cancelVideoJob',
  summary: 'Stop a job that has not ended, with a refund',
  description:
    'The job becomes `failed` with `ERR_5004`. A job that has ended, or whose video is made and on its way, stays as it ' +
    'is: 409. With an `Idempotency-Key` a repeat gets the first answer again instead.',
  parameters: [headerParameter(KEY, 'With it, a repeat gets the first answer.', { format: 'uuid' })],
  request: { body: jsonContent(JobBody, THIS_JOB) },
  answer: {
    schema: Cancelled,
    description: 'The refunded credits, and the balance',
    example: CANCELLED,
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4008', 'ERR_4009'],
    details: {
      ERR_4006: { field: 'job_id', reason: 'missing' },
      ERR_4008: { reason: 'finished', status: 'completed' },
    },
  },
});

/** The same by POST and by DELETE. */
export const DELETE_JOB = (['post', 'delete'] as const).map((method) =>
  userRoute({
    method,
    path: '/functions/v1/delete-video-job',
    tags: TAGS,
    operationId: method === 'post' ? 'deleteVideoJob' : 'deleteVideoJobByDelete',
    summary: `Delete a finished job and its files${method === 'post' ? '' : ', by DELETE'}`,
    description:
      'Its media URLs stop working at once. A job that is under way is 409: cancel it first. Deleting again is a ' +
      'success. Deleting gives no slots of the rate limit back.',
    request: { body: jsonContent(JobBody, THIS_JOB) },
    answer: {
      schema: Deleted,
      description: 'Deleted',
      example: { success: true },
      errors: ['ERR_4007', 'ERR_4008'],
      details: { ERR_4006: { field: 'job_id', reason: 'missing' }, ERR_4008: { reason: 'running' } },
    },
  }),
);
