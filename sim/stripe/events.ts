/** Stripe's events: each is kept, signed at each delivery, and sent again until the server accepts it. */
import { createHmac } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import type { StripeObject } from './objects.ts';
import type { Store } from './store.ts';

export type StripeEvent = { id: string; type: string; created: number; body: string };
/** `status` is null where there was no answer. */
export type EventDelivery = { id: string; type: string; url: string; attempt: number; status: number | null };

const API_VERSION = '2026-10-28.endive';
const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 5;
const KEPT = 1000;

export type SignOptions = { secret?: string; timestamp?: number };

export function createEvents(options: {
  store: Store;
  secret: string;
  /** Where events go; null: nowhere. */
  url(): string | null;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
}) {
  const { store, secret, url, deliver, clock, log, closing } = options;
  const events: StripeEvent[] = [];
  const deliveries: EventDelivery[] = [];
  const retries = new Set<Promise<void>>();
  let retryMs = 5_000;
  let isAutomatic = true;

  function sign(body: string, { secret: key = secret, timestamp }: SignOptions = {}): string {
    const t = timestamp ?? Math.floor(clock.now().getTime() / 1000);
    return `t=${t},v1=${createHmac('sha256', key).update(`${t}.${body}`).digest('hex')}`;
  }

  async function post({ id, type, body }: StripeEvent, to: string, attempt: number): Promise<number | null> {
    const delivery: EventDelivery = { id, type, url: to, attempt, status: null };
    deliveries.push(delivery);
    if (deliveries.length > KEPT) deliveries.shift();
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': sign(body) };
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await deliver(to, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      delivery.status = response.status;
    } catch (error) {
      log.debug({ cause: String(error) }, 'a simulated event of Stripe was not delivered');
    }
    return delivery.status;
  }

  async function retry(event: StripeEvent, to: string): Promise<void> {
    for (let attempt = 2; attempt <= ATTEMPTS_MAX; attempt += 1) {
      await wait(retryMs * 2 ** (attempt - 2), closing);
      if (closing.aborted || isSuccess(await post(event, to, attempt))) return;
    }
  }

  /** Resolves with the server's first answer. A refused event is sent again in the background. */
  async function send(event: StripeEvent): Promise<number | null> {
    const to = url();
    if (to === null) return null;
    const status = await post(event, to, 1);
    if (!isSuccess(status) && isAutomatic) {
      const retrying: Promise<void> = retry(event, to).finally(() => retries.delete(retrying));
      retries.add(retrying);
    }
    return status;
  }

  return {
    sign,
    /** Records events that happen together, and sends them in this order unless deliveries are by hand. */
    async emit(...happened: { type: string; object: StripeObject }[]): Promise<StripeEvent[]> {
      const made = happened.map(({ type, object }) => eventOf(type, object));
      events.push(...made);
      events.splice(0, Math.max(0, events.length - KEPT));
      if (isAutomatic) for (const event of made) await send(event);
      return made;
    },
    /** Sends a recorded event (once more). */
    async deliver(id: string): Promise<number | null> {
      const event = events.find((each) => each.id === id);
      if (!event) throw new Error(`no such event: ${id}`);
      return send(event);
    },
    /** Oldest first. */
    list: (): StripeEvent[] => structuredClone(events),
    deliveries: (): EventDelivery[] => structuredClone(deliveries),
    /** False: events are sent by `deliver` alone. */
    setAutomatic(is: boolean): void {
      isAutomatic = is;
    },
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    async close(): Promise<void> {
      await Promise.all(retries);
    },
  };

  function eventOf(type: string, object: StripeObject): StripeEvent {
    const id = store.newId('evt');
    const created = store.now();
    const about = {
      api_version: API_VERSION,
      created,
      livemode: store.isLive,
      pending_webhooks: 1,
      request: null,
      type,
    };
    // Stripe writes its events over several lines.
    return { id, type, created, body: JSON.stringify({ id, object: 'event', ...about, data: { object } }, null, 2) };
  }
}

export type Events = ReturnType<typeof createEvents>;

function isSuccess(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}
