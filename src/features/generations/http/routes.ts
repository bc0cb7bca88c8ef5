import { callerId } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { HttpContext } from '../../../http/env.ts';
import { readIdempotencyKey, requireIdempotencyKey } from '../../../http/idempotency.ts';
import { originOf } from '../../../http/origin.ts';
import { localeOf } from '../../../http/problem.ts';
import { setRateLimitHeaders } from '../../../http/rate-limit.ts';
import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { beginGeneration } from '../begin.ts';
import { cancelGeneration } from '../cancel.ts';
import { deleteGeneration } from '../delete.ts';
import { listGenerations, readGeneration } from '../read.ts';
import { CANCEL_JOB, DELETE_JOB, DELETE_JOB_BY_DELETE, GENERATE_VIDEO, GET_JOBS, GET_STATUS } from './openapi.ts';
import { presentJob, summaryOf } from './present-job.ts';

export function generationRoutes(router: Router, ctx: Context, ipOf: IpReader): void {
  const viewerOf = (c: HttpContext) => ({ ctx, origin: originOf(c), locale: localeOf(c) });

  router.add(GENERATE_VIDEO, async (c) => {
    const idempotencyKey = requireIdempotencyKey(c);
    const body = c.req.valid('json');
    const answer = await beginGeneration(ctx, {
      userId: callerId(c),
      idempotencyKey,
      modelId: body.model_id,
      prompt: body.prompt,
      settings: body.settings ?? {},
      imageUrl: body.image_url ?? null,
      ip: ipOf(c),
      requestId: c.get('requestId'),
    });
    if (answer.limit) setRateLimitHeaders(c, answer.limit);
    return replayable(c, answer);
  });

  for (const route of GET_STATUS) {
    router.add(route, async (c) => {
      const row = await readGeneration(ctx, callerId(c), c.req.valid('query').job_id);
      return c.json(await presentJob(row, viewerOf(c)), 200);
    });
  }

  router.add(GET_JOBS, async (c) => {
    const { limit, offset, cursor, status } = c.req.valid('query');
    const page = await listGenerations(ctx, callerId(c), { limit, offset, afterSeq: cursor, status: status ?? null });
    const jobs = await Promise.all(page.jobs.map((row) => presentJob(row, viewerOf(c))));
    const next_cursor = page.nextSeq === null ? null : encodeCursor(page.nextSeq);
    return c.json({ jobs: jobs.map(summaryOf), total: page.total, has_more: page.hasMore, next_cursor }, 200);
  });

  router.add(CANCEL_JOB, async (c) => {
    const { job_id: jobId } = c.req.valid('json');
    const input = { userId: callerId(c), jobId, idempotencyKey: readIdempotencyKey(c) };
    return replayable(c, await cancelGeneration(ctx, input));
  });

  router.add(DELETE_JOB, async (c) => {
    await deleteGeneration(ctx, { userId: callerId(c), jobId: c.req.valid('json').job_id });
    return c.json({ success: true as const }, 200);
  });
  router.add(DELETE_JOB_BY_DELETE, async (c) => {
    const jobId = theOneOf(c.req.valid('query').job_id, c.req.valid('json').job_id);
    await deleteGeneration(ctx, { userId: callerId(c), jobId });
    return c.json({ success: true as const }, 200);
  });
}

/** Returns the job that a query or a body names. Throws ERR_4006 without one, and if they name different ones. */
function theOneOf(inQuery: string | undefined, inBody: string | null | undefined): string {
  const jobId = inQuery ?? inBody;
  if (jobId === undefined || jobId === null) {
    throw new Problem('ERR_4006', { details: { field: 'job_id', reason: 'missing' } });
  }
  if (inBody && inBody !== jobId) throw new Problem('ERR_4006', { details: { field: 'job_id' } });
  return jobId;
}
