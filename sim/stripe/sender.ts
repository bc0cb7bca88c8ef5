/** Sends Stripe's events over HTTP: signed at each delivery, and sent again until the server accepts them. */
import { createHmac } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';

export type StripeEvent = { id: string; type: string; created: number; body: string };
/** `status` is null where there was no answer. */
export type EventDelivery = { id: string; type: string; url: string; attempt: number; status: number | null };
export type SignOptions = { secret?: string; timestamp?: number };
export type SenderOptions = {
  secret: string;
  /** Where events go; null: nowhere. */
  url(): string | null;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
};

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 5;
const DELIVERIES_KEPT = 1000;

export function createSender({ secret, url, deliver, clock, log, closing }: SenderOptions) {
  const deliveries: EventDelivery[] = [];
  const retries = new Set<Promise<void>>();
  let retryMs = 5_000;

  function sign(body: string, { secret: key = secret, timestamp }: SignOptions = {}): string {
    const t = timestamp ?? Math.floor(clock.now().getTime() / 1000);
    return `t=${t},v1=${createHmac('sha256', key).update(`${t}.${body}`).digest('hex')}`;
  }

  async function post({ id, type, body }: StripeEvent, to: string, attempt: number): Promise<number | null> {
    const delivery: EventDelivery = { id, type, url: to, attempt, status: null };
    deliveries.push(delivery);
    if (deliveries.length > DELIVERIES_KEPT) deliveries.shift();
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

  return {
    sign,
    /** Resolves with the server's first answer. `isRepeated`: what it refuses is sent again in the background. */
    async send(event: StripeEvent, isRepeated: boolean): Promise<number | null> {
      const to = url();
      if (to === null) return null;
      const status = await post(event, to, 1);
      if (!isSuccess(status) && isRepeated) {
        const retrying: Promise<void> = retry(event, to).finally(() => retries.delete(retrying));
        retries.add(retrying);
      }
      return status;
    },
    deliveries: (): EventDelivery[] => structuredClone(deliveries),
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    async close(): Promise<void> {
      await Promise.all(retries);
    },
  };
}

function isSuccess(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}
