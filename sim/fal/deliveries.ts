import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import type { SignedEvent } from './sign-event.ts';

/** `status` is null where there was no answer. */
export type Delivery = { requestId: string; url: string; attempt: number; status: number | null };

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 10;
const RETRY_MAX_MS = 60_000;
const DELIVERIES_KEPT = 1000;

/** Sends events over HTTP and records each attempt. */
export function createDeliveries(options: { deliver: typeof fetch; log: Log; closing: AbortSignal }) {
  const { deliver, log, closing } = options;
  const deliveries: Delivery[] = [];
  let retryMs = 1_000;

  /** True once the receiver has answered with success. */
  async function sendOnce(url: string, requestId: string, event: SignedEvent, attempt = 1): Promise<boolean> {
    const delivery: Delivery = { requestId, url, attempt, status: null };
    deliveries.push(delivery);
    if (deliveries.length > DELIVERIES_KEPT) deliveries.shift();
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await deliver(url, { method: 'POST', ...event, redirect: 'manual', signal });
      await response.body?.cancel();
      delivery.status = response.status;
      return response.ok;
    } catch (error) {
      log.debug({ cause: String(error) }, 'a simulated webhook was not delivered');
      return false;
    }
  }

  return {
    sendOnce,
    /** Retries like fal, with an event that is signed anew each time. */
    async send(url: string, requestId: string, event: () => SignedEvent): Promise<void> {
      for (let attempt = 1; attempt <= ATTEMPTS_MAX && !closing.aborted; attempt += 1) {
        if (await sendOnce(url, requestId, event(), attempt)) return;
        await wait(Math.min(retryMs * 2 ** (attempt - 1), RETRY_MAX_MS), closing);
      }
    },
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    list: () => structuredClone(deliveries),
  };
}
