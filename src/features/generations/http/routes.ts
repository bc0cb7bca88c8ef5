import { createRoute } from '@hono/zod-openapi';
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import type { AddressReader } from '../../../http/client-address.ts';
import { requireIdempotencyKey } from '../../../http/idempotency.ts';
import {
  BODY_ERRORS,
  headerParameter,
  jsonContent,
  LANGUAGE_PARAMETER,
  responses,
  USER_ERRORS,
} from '../../../http/openapi.ts';
import type { HeaderName } from '../../../http/openapi-headers.ts';
import { originOf } from '../../../http/origin.ts';
import { localeOf } from '../../../http/problem.ts';
import { tellRateLimit } from '../../../http/rate-limit.ts';
import { replayable } from '../../../http/replay.ts';
import { refuseInvalid } from '../../../http/validate.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import type { Context } from '../../context.ts';
import { beginGeneration } from '../begin.ts';
import { listGenerations, readGeneration } from '../read.ts';
import { cancelDeleteRoutes } from './cancel-delete-routes.ts';
import { COMPLETED, FAILED, PAGE, SHORTEST, STARTED, UNDER_WAY, WITH_SETTINGS } from './examples.ts';
import {
  GenerateVideoBody,
  GenerationStarted,
  JobQuery,
  JobsQuery,
  presentJob,
  VideoJob,
  VideoJobs,
} from './schemas.ts';

const TAGS = ['Video jobs'];
const SECURITY = [{ bearer: [] }];
const KEY = 'Idempotency-Key';
const LIMITED: HeaderName[] = ['RateLimit', 'RateLimitPolicy'];
const refuseBadGeneration = refuseInvalid({ model_id: 'ERR_4002', prompt: 'ERR_4003' });

export function generationRoutes(api: Api, ctx: Context, guards: Guards, addressOf: AddressReader): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/generate-video',
      tags: TAGS,
      operationId: 'generateVideo',
      summary: 'Pay for one video and set it going',
      description:
        'Charges the price and answers at once; the video is made behind it. Make an `Idempotency-Key` (UUID) for each ' +
        'new wish and keep it until an answer has come: sent again with the same body, it gets the first answer again, ' +
        'marked by `X-Idempotent-Replay`, and never pays twice. Only a charge burns a key; it lives 24 hours. What goes ' +
        'wrong later is the job’s `error_code`, with the credits back.',
      security: SECURITY,
      parameters: [
        headerParameter(KEY, 'A UUID of the caller’s: the same key never pays twice.', {
          format: 'uuid',
          required: true,
        }),
      ],
      middleware: guards.userWithBody,
      request: {
        body: jsonContent(GenerateVideoBody, {
          shortest: { summary: 'With the model’s default settings', value: SHORTEST },
          settings: { summary: 'With settings', value: WITH_SETTINGS },
        }),
      },
      responses: responses(GenerationStarted, {
        description: 'The job, charged and on its way',
        example: STARTED,
        headers: [...LIMITED, 'IdempotentReplay'],
        errors: [
          ...USER_ERRORS,
          ...BODY_ERRORS,
          'ERR_4001',
          'ERR_4002',
          'ERR_4003',
          'ERR_4008',
          'ERR_4009',
          'ERR_5002',
        ],
        details: { ERR_4004: { retry_after: 1200 }, ERR_4008: { reason: 'in_progress' } },
      }),
    }),
    async (c) => {
      const idempotencyKey = requireIdempotencyKey(c);
      const body = c.req.valid('json');
      const answer = await beginGeneration(ctx, {
        userId: callerId(c),
        idempotencyKey,
        modelId: body.model_id,
        prompt: body.prompt,
        settings: body.settings ?? {},
        imageUrl: body.image_url ?? null,
        address: addressOf(c),
      });
      if (answer.limit) tellRateLimit(c, answer.limit);
      return replayable(c, answer);
    },
    (result) => refuseBadGeneration(result),
  );

  for (const name of ['get-video-status', 'check-video-job-status']) {
    api.openapi(
      createRoute({
        method: 'get',
        path: `/functions/v1/${name}`,
        tags: TAGS,
        operationId: name === 'get-video-status' ? 'getVideoStatus' : 'checkVideoJobStatus',
        summary: name === 'get-video-status' ? 'How a job stands' : 'The same as get-video-status',
        description:
          'Reads our own records alone, so it may be asked as often as an app likes. `completed` means that the file is ' +
          'here and plays; `failed` says why, and the credits are back. Another’s job and none are the same 404.',
        security: SECURITY,
        parameters: [LANGUAGE_PARAMETER],
        middleware: guards.user,
        request: { query: JobQuery },
        responses: responses(VideoJob, {
          description: 'The job',
          example: COMPLETED,
          otherExamples: {
            processing: { summary: 'While it is being made', value: UNDER_WAY },
            failed: { summary: 'When it has failed', value: FAILED },
          },
          headers: LIMITED,
          errors: [...USER_ERRORS, 'ERR_4007'],
          details: { ERR_4006: { field: 'job_id', reason: 'missing' } },
        }),
      }),
      async (c) => {
        const row = await readGeneration(ctx, callerId(c), c.req.valid('query').job_id);
        return c.json(await presentJob(row, { ctx, origin: originOf(c), locale: localeOf(c) }), 200);
      },
    );
  }

  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-video-jobs',
      tags: TAGS,
      operationId: 'getVideoJobs',
      summary: 'The caller’s jobs, newest first',
      description:
        'Follow `next_cursor`: a page costs the same however far back it lies, and nothing is shown twice when new jobs ' +
        'arrive. `offset` is for small lists, and is not looked at beside a `cursor`.',
      security: SECURITY,
      middleware: guards.user,
      request: { query: JobsQuery },
      responses: responses(VideoJobs, {
        description: 'A page of jobs',
        example: PAGE,
        headers: LIMITED,
        errors: USER_ERRORS,
        details: { ERR_4006: { field: 'status', allowed: ['pending', 'processing', 'completed', 'failed'] } },
      }),
    }),
    async (c) => {
      const { limit, offset, cursor, status } = c.req.valid('query');
      const page = await listGenerations(ctx, callerId(c), { limit, offset, afterSeq: cursor, status: status ?? null });
      const reader = { ctx, origin: originOf(c), locale: localeOf(c) };
      const jobs = await Promise.all(page.jobs.map((row) => presentJob(row, reader)));
      return c.json(
        {
          jobs: jobs.map((job) => ({
            job_id: job.job_id,
            prompt: job.prompt,
            model_name: job.model_name,
            credits_used: job.credits_used,
            status: job.status,
            video_url: job.video_url,
            thumbnail_url: job.thumbnail_url,
            created_at: job.created_at,
          })),
          total: page.total,
          has_more: page.hasMore,
          next_cursor: page.nextSeq === null ? null : encodeCursor(page.nextSeq),
        },
        200,
      );
    },
  );

  cancelDeleteRoutes(api, ctx, guards);
}
