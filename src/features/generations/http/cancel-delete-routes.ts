/** How a generation is ended by its owner: stopped while it runs, or put away afterwards. */
import { createRoute } from '@hono/zod-openapi';
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import {
  BODY_ERRORS,
  EXAMPLE_IDS,
  headerParameter,
  jsonContent,
  responses,
  USER_ERRORS,
} from '../../../http/openapi.ts';
import type { HeaderName } from '../../../http/openapi-headers.ts';
import { replayable } from '../../../http/replay.ts';
import type { Context } from '../../context.ts';
import { cancelGeneration } from '../cancel.ts';
import { deleteGeneration } from '../delete.ts';
import { CANCELLED } from './examples.ts';
import { Cancelled, Deleted, JobBody } from './schemas.ts';

const TAGS = ['Video jobs'];
const SECURITY = [{ bearer: [] }];
const KEY = 'Idempotency-Key';
const LIMITED: HeaderName[] = ['RateLimit', 'RateLimitPolicy'];
const THIS_JOB = { job: { summary: 'A job of the caller’s', value: { job_id: EXAMPLE_IDS.job } } };

export function cancelDeleteRoutes(api: Api, ctx: Context, guards: Guards): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/cancel-video-job',
      tags: TAGS,
      operationId: 'cancelVideoJob',
      summary: 'Stop a job that has not ended and have its credits back',
      description:
        'The job becomes `failed` with `ERR_5004`. One that has ended, or whose video is made and on its way, stays as it ' +
        'is: 409. With an `Idempotency-Key` a repeat gets the first answer again instead.',
      security: SECURITY,
      parameters: [headerParameter(KEY, 'With it, a repeat gets the first answer.', { format: 'uuid' })],
      middleware: guards.userWithBody,
      request: { body: jsonContent(JobBody, THIS_JOB) },
      responses: responses(Cancelled, {
        description: 'The credits given back, and the balance',
        example: CANCELLED,
        headers: [...LIMITED, 'IdempotentReplay'],
        errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007', 'ERR_4008', 'ERR_4009'],
        details: {
          ERR_4006: { field: 'job_id', reason: 'missing' },
          ERR_4008: { reason: 'finished', status: 'completed' },
        },
      }),
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
        operationId: method === 'post' ? 'deleteVideoJob' : 'deleteVideoJobByDelete',
        summary: `Take a finished job and its files out of sight${method === 'post' ? '' : ', by DELETE'}`,
        description:
          'Its media URLs stop working at once. A job that is under way is 409: cancel it first. Deleting again is a ' +
          'success. Slots of the rate limit do not come back.',
        security: SECURITY,
        middleware: guards.userWithBody,
        request: { body: jsonContent(JobBody, THIS_JOB) },
        responses: responses(Deleted, {
          description: 'Gone',
          example: { success: true },
          headers: LIMITED,
          errors: [...USER_ERRORS, ...BODY_ERRORS, 'ERR_4007', 'ERR_4008'],
          details: { ERR_4006: { field: 'job_id', reason: 'missing' }, ERR_4008: { reason: 'running' } },
        }),
      }),
      async (c) => {
        await deleteGeneration(ctx, { userId: callerId(c), jobId: c.req.valid('json').job_id });
        return c.json({ success: true as const }, 200);
      },
    );
  }
}
