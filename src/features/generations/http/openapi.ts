import { EXAMPLE_IDS, headerParameter, jsonContent, LANGUAGE_PARAMETER } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { CANCELLED, COMPLETED, FAILED, PAGE, PROCESSING, SHORTEST, STARTED, WITH_SETTINGS } from './examples.ts';
import {
  Cancelled,
  DeleteBody,
  Deleted,
  DeleteQuery,
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
const THIS_JOB = { job: { summary: 'One of the caller’s jobs', value: { job_id: EXAMPLE_IDS.job } } };

export const GENERATE_VIDEO = userRoute({
  method: 'post',
  path: '/functions/v1/generate-video',
  tags: TAGS,
  operationId: 'generateVideo',
  summary: 'Pay for and start a video',
  description:
    'Charges the price, starts a job and returns at once; the video is made in the background. Create an `Idempotency-Key` ' +
    '(UUID) for each new request and keep it until you get a response. A repeat with the same key and body returns the first ' +
    'response, marked by `X-Idempotent-Replay`, and is never charged again. Only a charge uses up a key, which is kept for 24 ' +
    'hours. A later failure is reported as the job’s `error_code`, and the credits are refunded.',
  parameters: [
    headerParameter(
      KEY,
      'A UUID that the client creates, with or without double quotes. Requests with the same key are never charged twice.',
      {
        format: 'uuid',
        required: true,
      },
    ),
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
    errors: ['ERR_4001', 'ERR_4002', 'ERR_4003', 'ERR_4008', 'ERR_4009', 'ERR_4019', 'ERR_5002', 'ERR_5006'],
    details: { ERR_4004: { retry_after: 1200 }, ERR_4008: { reason: 'in_progress' } },
  },
});

/** One route under two paths. */
export const GET_STATUS = (['get-video-status', 'check-video-job-status'] as const).map((name) =>
  userRoute({
    method: 'get',
    path: `/functions/v1/${name}`,
    tags: TAGS,
    operationId: name === 'get-video-status' ? 'getVideoStatus' : 'checkVideoJobStatus',
    summary: `Get the status of a job${name === 'get-video-status' ? '' : ' (the same as get-video-status)'}`,
    description:
      'Returns a job. It only reads the server’s own records, so an app may call it as often as it likes. `completed` means ' +
      'that the video is stored on this server and plays. `failed` comes with the reason, and the credits are refunded. Another ' +
      'user’s job returns the same 404 as an unknown job.',
    parameters: [LANGUAGE_PARAMETER],
    request: { query: JobQuery },
    answer: {
      schema: VideoJob,
      description: 'The job',
      example: COMPLETED,
      otherExamples: {
        processing: { summary: 'While the video is being made', value: PROCESSING },
        failed: { summary: 'After a failure', value: FAILED },
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
  summary: 'List the caller’s jobs',
  description:
    'Returns the caller’s jobs, newest first. Follow `next_cursor`: every page costs the same, however far back it is, and no ' +
    'job is returned twice when new jobs arrive. `offset` is for small lists, and is ignored if there is a `cursor`.',
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
  summary: 'Cancel a job and refund it',
  description:
    'Cancels a job that has not ended: it becomes `failed` with `ERR_5004`. A job that has ended, or whose video is already ' +
    'made and being delivered, does not change and returns a 409. A provider that has begun bills the video all the same, so ' +
    'only a few such refunds are given per hour: beyond them, 429, and the job goes on. With an `Idempotency-Key`, a repeat ' +
    'returns the first response instead.',
  parameters: [
    headerParameter(
      KEY,
      'A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response.',
      {
        format: 'uuid',
      },
    ),
  ],
  request: { body: jsonContent(JobBody, THIS_JOB) },
  answer: {
    schema: Cancelled,
    description: 'The refunded credits and the balance',
    example: CANCELLED,
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4008', 'ERR_4009'],
    details: {
      ERR_4004: { retry_after: 1200 },
      ERR_4006: { field: 'job_id', reason: 'missing' },
      ERR_4008: { reason: 'finished', status: 'completed' },
    },
  },
});

const DELETION = {
  path: '/functions/v1/delete-video-job',
  tags: TAGS,
  description:
    'Deletes a job that has ended. Its media URLs stop working at once. A job that has not ended returns a 409: cancel it ' +
    'first. Deleting a job again succeeds. Deleting does not give back slots of the rate limit.',
  answer: {
    schema: Deleted,
    description: 'The job is deleted',
    example: { success: true as const },
    errors: ['ERR_4007' as const, 'ERR_4008' as const],
    details: { ERR_4006: { field: 'job_id', reason: 'missing' }, ERR_4008: { reason: 'running' } },
  },
};

export const DELETE_JOB = userRoute({
  ...DELETION,
  method: 'post',
  operationId: 'deleteVideoJob',
  summary: 'Delete a finished job and its files',
  request: { body: jsonContent(JobBody, THIS_JOB) },
});

export const DELETE_JOB_BY_DELETE = userRoute({
  ...DELETION,
  method: 'delete',
  operationId: 'deleteVideoJobByDelete',
  summary: 'Delete a finished job and its files (DELETE)',
  description: `${DELETION.description} Name the job in the query or in the body: some proxies drop the body of a DELETE.`,
  request: { query: DeleteQuery, body: { ...jsonContent(DeleteBody, THIS_JOB), required: false } },
});
