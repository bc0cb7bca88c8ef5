import { createRoute } from '@hono/zod-openapi';
import { type Api, type Guards, headerParameter, jsonContent, responses, USER_ERRORS } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import type { AddressReader } from '../../http/client-address.ts';
import type { HttpContext } from '../../http/env.ts';
import { readIdempotencyKey, requireIdempotencyKey } from '../../http/idempotency.ts';
import { originOf } from '../../http/origin.ts';
import { localeOf } from '../../http/problem.ts';
import { tellRateLimit } from '../../http/rate-limit.ts';
import { refuseInvalid } from '../../http/validate.ts';
import { encodeCursor } from '../../kernel/cursor.ts';
import type { Context } from '../context.ts';
import { type Answer, beginGeneration } from './begin.ts';
import { cancelGeneration } from './cancel.ts';
import { listGenerations, readGeneration } from './read.ts';
import { removeGeneration } from './remove.ts';
import {
  Cancelled,
  GenerateVideoBody,
  GenerationStarted,
  JobBody,
  JobQuery,
  JobsQuery,
  jobOnWire,
  Removed,
  VideoJob,
  VideoJobs,
} from './wire.ts';

const TAGS = ['Video jobs'];
const SECURITY = [{ bearer: [] }];
const HOUR_SECONDS = 3600;
const KEY = 'Idempotency-Key';
const refuseBadGeneration = refuseInvalid({ model_id: 'ERR_4002', prompt: 'ERR_4003' });

export function generationRoutes(api: Api, ctx: Context, guards: Guards, addressOf: AddressReader): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/generate-video',
      tags: TAGS,
      summary: 'Pay for one video and set it going',
      description: 'Needs an `Idempotency-Key` (UUID): the same key never pays twice, however often it is sent.',
      security: SECURITY,
      parameters: [headerParameter(KEY, 'The same key never pays twice.', { format: 'uuid', required: true })],
      middleware: guards.userWithBody,
      request: { body: jsonContent(GenerateVideoBody) },
      responses: responses(GenerationStarted, 'The job, charged and on its way', [
        ...USER_ERRORS,
        'ERR_4001',
        'ERR_4002',
        'ERR_4003',
        'ERR_4006',
        'ERR_4008',
        'ERR_4009',
        'ERR_4014',
        'ERR_4015',
        'ERR_5002',
      ]),
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
      if (answer.limit) tellRateLimit(c, { policy: 'generations', windowSeconds: HOUR_SECONDS, ...answer.limit });
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
        summary: name === 'get-video-status' ? 'How a job stands' : 'The same as get-video-status',
        security: SECURITY,
        middleware: guards.user,
        request: { query: JobQuery },
        responses: responses(VideoJob, 'The job', [...USER_ERRORS, 'ERR_4006', 'ERR_4007']),
      }),
      async (c) => {
        const row = await readGeneration(ctx, callerId(c), c.req.valid('query').job_id);
        return c.json(await jobOnWire(row, { ctx, origin: originOf(c), locale: localeOf(c) }), 200);
      },
    );
  }

  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-video-jobs',
      tags: TAGS,
      summary: 'The caller’s jobs, newest first',
      security: SECURITY,
      middleware: guards.user,
      request: { query: JobsQuery },
      responses: responses(VideoJobs, 'A page of jobs', [...USER_ERRORS, 'ERR_4006']),
    }),
    async (c) => {
      const { limit, offset, cursor, status } = c.req.valid('query');
      const page = await listGenerations(ctx, callerId(c), { limit, offset, afterSeq: cursor, status: status ?? null });
      const reader = { ctx, origin: originOf(c), locale: localeOf(c) };
      const jobs = await Promise.all(page.jobs.map((row) => jobOnWire(row, reader)));
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

  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/cancel-video-job',
      tags: TAGS,
      summary: 'Stop a job that has not ended and have its credits back',
      security: SECURITY,
      parameters: [headerParameter(KEY, 'With it, a repeat gets the first answer.', { format: 'uuid' })],
      middleware: guards.userWithBody,
      request: { body: jsonContent(JobBody) },
      responses: responses(Cancelled, 'The credits given back, and the balance', [
        ...USER_ERRORS,
        'ERR_4006',
        'ERR_4007',
        'ERR_4008',
        'ERR_4009',
      ]),
    }),
    async (c) => {
      const answer = await cancelGeneration(ctx, {
        userId: callerId(c),
        jobId: c.req.valid('json').job_id,
        idempotencyKey: readIdempotencyKey(c),
      });
      return replayable(c, answer);
    },
  );

  for (const method of ['post', 'delete'] as const) {
    api.openapi(
      createRoute({
        method,
        path: '/functions/v1/delete-video-job',
        tags: TAGS,
        summary: 'Take a finished job and its files out of sight',
        security: SECURITY,
        middleware: guards.userWithBody,
        request: { body: jsonContent(JobBody) },
        responses: responses(Removed, 'Gone', [...USER_ERRORS, 'ERR_4006', 'ERR_4007', 'ERR_4008']),
      }),
      async (c) => {
        await removeGeneration(ctx, { userId: callerId(c), jobId: c.req.valid('json').job_id });
        return c.json({ success: true as const }, 200);
      },
    );
  }
}

/** The stored answer of the first call, or its like now: status and body come as they were. */
function replayable(c: HttpContext, answer: Answer) {
  if (answer.isReplay) c.header('X-Idempotent-Replay', 'true');
  // The procedures write what the route's schema says.
  return c.json(answer.body as never, answer.status as 200);
}
