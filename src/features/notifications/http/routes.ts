import type { HttpContext } from '../../../http/env.ts';
import { originOf } from '../../../http/origin.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Router } from '../../../http/route.ts';
import { createEventStream, EVENT_STREAM_HEADERS, type EventStream, lastEventId } from '../../../http/sse.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { startingPoint } from '../event-reader.ts';
import { snapshotOf } from '../snapshot.ts';
import { createStreamHub, type StreamHub } from '../stream-hub.ts';
import { JOB_EVENTS } from './openapi.ts';
import { presentEvent } from './present-event.ts';

type StreamContext = Pick<
  Context,
  'clock' | 'db' | 'log' | 'mediaSigner' | 'newUuid' | 'randomBytes' | 'stopping' | 'userEvents'
>;

/** How long clients wait before they reconnect: not all the same time, because a restart ends all streams at once. */
const RETRY_MIN_MS = 2_000;
const RETRY_SPREAD_MS = 2_000;

export function notificationRoutes(router: Router, ctx: StreamContext): void {
  const hub = createStreamHub(ctx);
  router.add(JOB_EVENTS, (c) =>
    // A HEAD has no body, so nothing would ever end its stream.
    c.req.method === 'HEAD' ? new Response(null, { headers: EVENT_STREAM_HEADERS }) : openStream(c, ctx, hub),
  );
}

async function openStream(c: HttpContext, ctx: StreamContext, hub: StreamHub): Promise<Response> {
  const caller = c.get('caller');
  if (!caller) throw new Problem('ERR_4005');
  const { userId, sessionId, expiresAt } = caller;
  const viewer = { origin: originOf(c), locale: localeOf(c) };
  const lastId = parseId(lastEventId(c.req.header('Last-Event-ID')));
  const { afterId, isResumed } = await startingPoint(ctx, userId, lastId);
  const snapshot = isResumed ? [] : await snapshotOf(ctx, userId);

  const [random = 0] = ctx.randomBytes(1);
  const retryMs = RETRY_MIN_MS + Math.floor((RETRY_SPREAD_MS * random) / 255);
  const stream = createEventStream({ signals: [c.req.raw.signal, ctx.stopping], retryMs });
  endAt(stream, expiresAt * 1000 - ctx.clock.now().getTime());
  for (const event of snapshot) stream.send(presentEvent(event, viewer));
  // Sent even without such jobs, so that a client that is cut off can resume and misses nothing.
  if (!isResumed) stream.sendId(String(afterId));
  const leave = hub.join(userId, {
    sentId: afterId,
    sessionId,
    send: (event) => stream.send(presentEvent(event, viewer)),
    end: stream.close,
  });
  stream.ended.then(leave);
  return stream.response;
}

/** A stream ends when its access token expires. */
function endAt(stream: EventStream, expiresInMs: number): void {
  const timer = setTimeout(stream.close, Math.max(0, expiresInMs));
  stream.ended.then(() => clearTimeout(timer));
}

function parseId(text: string | null): number | null {
  const id = Number(text ?? Number.NaN);
  return Number.isSafeInteger(id) && id >= 0 ? id : null;
}
