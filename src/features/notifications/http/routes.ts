import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Router } from '../../../http/route.ts';
import { createEventStream, lastEventId } from '../../../http/sse.ts';
import type { Context } from '../../context.ts';
import { createFeed, latestEventId } from '../feed.ts';
import { snapshotOf } from '../snapshot.ts';
import { JOB_EVENTS, JobEvent } from './openapi.ts';
import { presentEvent } from './present-event.ts';

export function notificationRoutes(
  router: Router,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'stopping' | 'userEvents'>,
): void {
  router.define('JobEvent', JobEvent);
  router.add(JOB_EVENTS, (c) => openStream(c, ctx));
}

async function openStream(
  c: HttpContext,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'stopping' | 'userEvents'>,
): Promise<Response> {
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
  const feed = createFeed(ctx, userId, startAfter, async (event) => stream.send(presentEvent(event, locale)));
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
    for (const event of await snapshotOf(ctx, userId)) stream.send(presentEvent(event, locale));
    // Also where there were none: what happens while the client is cut off must not be lost to it.
    stream.place(String(startAfter));
  }
  pump();
  return stream.response;
}
