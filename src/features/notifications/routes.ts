import { z } from '@hono/zod-openapi';
import { type Api, type Guards, headerParameter, responses, USER_ERRORS } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import type { HttpContext } from '../../http/env.ts';
import { localeOf } from '../../http/problem.ts';
import { createEventStream, lastEventId } from '../../http/sse.ts';
import type { Context } from '../context.ts';
import { createFeed, latestEventId } from './stream.ts';
import { unfinishedJobs } from './unfinished.ts';
import { eventOnWire } from './wire.ts';

export function notificationRoutes(api: Api, ctx: Context, guards: Guards): void {
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/functions/v1/job-events',
    tags: ['Video jobs'],
    summary: 'Server-sent events of the caller’s jobs and balance',
    description:
      'Events `queued`, `processing` (progress, queue_position), `completed`, `failed`, and `credits` when the balance changes. ' +
      'With `Last-Event-ID` the stream goes on where it broke off; without, it begins with the jobs that are under way.',
    security: [{ bearer: [] }],
    parameters: [headerParameter('Last-Event-ID', 'The id of the last event that was seen.')],
    responses: {
      ...responses(z.string(), 'The stream', USER_ERRORS),
      200: { description: 'The stream', content: { 'text/event-stream': { schema: { type: 'string' } } } },
    },
  });
  api.get('/functions/v1/job-events', guards.user, (c) => openStream(c, ctx));
}

async function openStream(c: HttpContext, ctx: Context): Promise<Response> {
  const userId = callerId(c);
  const locale = localeOf(c);
  const resumeAfter = Number(lastEventId(c.req.header('Last-Event-ID')) ?? Number.NaN);
  const latest = await latestEventId(ctx, userId);
  // An id from the future (of a database that was since restored, say) would keep its stream silent: it begins anew.
  const isResumed = Number.isSafeInteger(resumeAfter) && resumeAfter >= 0 && resumeAfter <= latest;
  const startAfter = isResumed ? resumeAfter : latest;

  const leaving = new AbortController();
  const expires = c.get('caller')?.expiresAt ?? 0;
  // An access token opens nothing after its end, streams included.
  const timer = setTimeout(() => leaving.abort(), Math.max(0, expires * 1000 - ctx.clock.now().getTime()));
  const stream = createEventStream({ signals: [c.req.raw.signal, ctx.stopping, leaving.signal] });
  const feed = createFeed(ctx, userId, startAfter, async (event) => stream.send(eventOnWire(event, locale)));
  const pump = () => {
    feed.pump().catch((error) => {
      // The client comes back with its last id: nothing is lost by letting it go.
      ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'an event stream broke off');
      stream.close();
    });
  };
  // Subscribed before the first read, so that nothing falls between the two.
  const unsubscribe = ctx.userEvents.subscribe((changed) => {
    if (changed === null || changed === userId) pump();
  });
  stream.ended.then(() => {
    clearTimeout(timer);
    unsubscribe();
  });
  if (!isResumed) {
    for (const event of await unfinishedJobs(ctx, userId, startAfter)) stream.send(eventOnWire(event, locale));
  }
  pump();
  return stream.response;
}
