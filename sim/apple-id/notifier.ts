import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import type { Client } from './clients.ts';
import type { Person } from './people.ts';
import type { NotificationType, Tokens } from './tokens.ts';

/** `status` is null where there was no answer. */
export type NotificationDelivery = {
  id: string;
  type: NotificationType;
  url: string;
  attempt: number;
  status: number | null;
};

export const deliveryShape = z.object({
  /** How often it is sent, each time with the same id. */
  times: z.int().min(1).max(100).default(1),
  /** Between the event and the first delivery. */
  delayMs: z.int().min(0).default(0),
  /** When it happened; now by default. */
  atMs: z.int().optional(),
});
export type DeliveryInput = z.input<typeof deliveryShape>;

export type Notice = { type: NotificationType; person: Person; client: Client; hidesEmail: boolean };

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 5;
const DELIVERIES_KEPT = 1000;

/** Tells a server what has happened to accounts. What it does not accept is sent again. */
export function createNotifier(options: {
  tokens: Tokens;
  /** Undefined: no server is registered for notifications. */
  url(): string | null;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
}) {
  const { tokens, deliver, clock, log, closing } = options;
  const deliveries: NotificationDelivery[] = [];
  const retries = new Set<Promise<void>>();
  let retryMs = 5_000;

  /** Null: there was no answer. */
  async function post(delivery: NotificationDelivery, payload: string): Promise<number | null> {
    deliveries.push(delivery);
    if (deliveries.length > DELIVERIES_KEPT) deliveries.shift();
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
    const body = JSON.stringify({ payload });
    const headers = { 'content-type': 'application/json' };
    try {
      const response = await deliver(delivery.url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      delivery.status = response.status;
    } catch (error) {
      log.debug({ cause: String(error) }, 'a simulated account notification was not delivered');
    }
    return delivery.status;
  }

  async function retry(first: NotificationDelivery, payload: string): Promise<void> {
    for (let attempt = 2; attempt <= ATTEMPTS_MAX; attempt += 1) {
      await wait(retryMs * 2 ** (attempt - 2), closing);
      if (closing.aborted) return;
      if ((await post({ ...first, attempt, status: null }, payload)) === 200) return;
    }
  }

  return {
    /** Resolves with the server's first answer to each copy. Refused ones are sent again in the background. */
    async send(notice: Notice, input: DeliveryInput = {}): Promise<(number | null)[]> {
      const url = options.url();
      if (url === null) throw new Error('no server is registered for notifications');
      const { times, delayMs, atMs = clock.now().getTime() } = deliveryShape.parse(input);
      const { id, payload } = await tokens.notification({ ...notice, atMs });
      if (delayMs > 0) await wait(delayMs, closing);
      const statuses: (number | null)[] = [];
      for (let copy = 0; copy < times && !closing.aborted; copy += 1) {
        const delivery = { id, type: notice.type, url, attempt: 1, status: null };
        const status = await post(delivery, payload);
        statuses.push(status);
        if (status === 200) continue;
        const retrying: Promise<void> = retry(delivery, payload).finally(() => retries.delete(retrying));
        retries.add(retrying);
      }
      return statuses;
    },
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    deliveries: (): NotificationDelivery[] => structuredClone(deliveries),
    async close(): Promise<void> {
      await Promise.all(retries);
    },
  };
}

export type Notifier = ReturnType<typeof createNotifier>;
