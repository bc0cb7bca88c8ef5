import { callerId } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { originOf } from '../../../http/origin.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Router } from '../../../http/route.ts';
import { createEventStream, lastEventId } from '../../../http/sse.ts';
import type { Context } from '../../context.ts';
import { createEventReader, latestEventId } from '../event-reader.ts';
import { snapshotOf } from '../snapshot.ts';
import { JOB_EVENTS } from './openapi.ts';
import { presentEvent } from './present-event.ts';

type StreamContext = Pick<Context, 'clock' | 'db' | 'log' | 'mediaSigner' | 'stopping' | 'userEvents'>;

export function notificationRoutes(router: Router, ctx: StreamContext): void {
  router.add(JOB_EVENTS, (c) => openStream(c, ctx));
}

async function openStream(c: HttpContext, ctx: StreamContext): Promise<Response> {
  const userId = callerId(c);
  const viewer = { origin: originOf(c), locale: localeOf(c) };
  const resumeAfter = Number(lastEventId(c.req.header('Last-Event-ID')) ?? Number.NaN);
  const latest = await latestEventId(ctx, userId);
  // After an id above the latest (of a database that was restored, for example) no event would be sent: start anew.
  const isResumed = Number.isSafeInteger(resumeAfter) && resumeAfter >= 0 && resumeAfter <= latest;
  const startAfter = isResumed ? resumeAfter : latest;

  const expiry = new AbortController();
  const expiresAt = c.get('caller')?.expiresAt ?? 0;
  // A stream ends when its access token expires.
  const timer = setTimeout(() => expiry.abort(), Math.max(0, expiresAt * 1000 - ctx.clock.now().getTime()));
  const stream = createEventStream({ signals: [c.req.raw.signal, ctx.stopping, expiry.signal] });
  const reader = createEventReader(ctx, userId, startAfter, async (event) => stream.send(presentEvent(event, viewer)));
  const sendNew = () => {
    reader.sendNew().catch((error) => {
      // The client reconnects with its last id, so that nothing is lost when the stream ends here.
      ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'an event stream failed');
      stream.close();
    });
  };
  // Subscribed before the first read, so that no event is missed between the two.
  const unsubscribe = ctx.userEvents.subscribe((changed) => {
    if (changed === null || changed === userId) sendNew();
  });
  stream.ended.then(() => {
    clearTimeout(timer);
    unsubscribe();
  });
  if (!isResumed) {
    for (const event of await snapshotOf(ctx, userId)) stream.send(presentEvent(event, viewer));
    // Sent even without such jobs, so that a client that is cut off can resume and misses nothing.
    stream.sendId(String(startAfter));
  }
  sendNew();
  return stream.response;
}
