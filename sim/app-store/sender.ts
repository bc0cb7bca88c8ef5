import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import type { Notification, Notifications, SendAttempt } from './notifications.ts';

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 6;
const FIRST_RETRY_MS = 2_000;

export type SenderOptions = {
  notifications: Notifications;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
};

/**
 * Sends notifications over the network, and records each attempt. One that is not accepted is sent five times more, after
 * growing waits: seconds here, hours at Apple, whose sandbox sends each once.
 */
export function createSender(options: SenderOptions) {
  const { notifications, log, closing } = options;
  const background = new Set<Promise<void>>();
  let retryMs = FIRST_RETRY_MS;

  function inBackground(work: Promise<void>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => log.error({ cause: String(error) }, 'a simulated notification was not recorded'))
      .finally(() => background.delete(running));
    background.add(running);
  }

  async function retry(url: string, { notificationUUID, signedPayload }: Notification): Promise<void> {
    for (let attempt = 2; attempt <= ATTEMPTS_MAX; attempt += 1) {
      await wait(retryMs * 2 ** (attempt - 2), closing);
      if (closing.aborted) return;
      const made = await post(url, signedPayload, options);
      await notifications.addAttempt(notificationUUID, made);
      if (made.sendAttemptResult === 'SUCCESS') return;
    }
  }

  return {
    /** Sends all copies, and returns the server's answers. Apple records an attempt, not how often it arrives. */
    async send(url: string, notification: Notification, copies: number): Promise<(number | null)[]> {
      const made: SendAttempt[] = [];
      for (let copy = 0; copy < copies && !closing.aborted; copy += 1) {
        made.push(await post(url, notification.signedPayload, options));
      }
      const best = made.find(({ sendAttemptResult }) => sendAttemptResult === 'SUCCESS') ?? made[0];
      if (best) await notifications.addAttempt(notification.notificationUUID, best);
      if (best && best.sendAttemptResult !== 'SUCCESS') inBackground(retry(url, notification));
      return made.map(({ status }) => status);
    },
    inBackground,
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    async close(): Promise<void> {
      while (background.size > 0) await Promise.all(background);
    },
  };
}

async function post(
  url: string,
  signedPayload: string,
  { deliver, clock, log, closing }: SenderOptions,
): Promise<SendAttempt> {
  const attemptDate = clock.now().getTime();
  const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ signedPayload });
  try {
    const response = await deliver(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.body?.cancel();
    const { status } = response;
    const isAccepted = status >= 200 && status <= 206;
    return { attemptDate, status, sendAttemptResult: isAccepted ? 'SUCCESS' : 'UNSUCCESSFUL_HTTP_RESPONSE_CODE' };
  } catch (error) {
    log.debug({ cause: String(error) }, 'a simulated notification was not delivered');
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { attemptDate, status: null, sendAttemptResult: isLate ? 'TIMED_OUT' : 'NO_RESPONSE' };
  }
}
