import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import type { Notice, Notification, Notifications, SendAttempt } from './notifications.ts';

/** What happens to the next `times` notifications. Plans are used up in the order in which they were made. */
export const deliveryPlanShape = z.object({
  times: z.int().min(1).default(1),
  /** It never arrives; the history has it. */
  isLost: z.boolean().default(false),
  /** How often it arrives, each time with the same id. */
  copies: z.int().min(1).max(100).default(1),
  /** Before it is sent for the first time. Who caused it does not wait. */
  delayMs: z.int().min(0).default(0),
});
export type DeliveryPlanInput = z.input<typeof deliveryPlanShape>;

type Statuses = (number | null)[];

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 6;
const AS_USUAL = deliveryPlanShape.parse({});

/**
 * Sends notifications to a server. One that is not accepted is sent five times more, after growing waits: seconds here, hours
 * at Apple, whose sandbox sends each once.
 */
export function createNotifier(options: {
  notifications: Notifications;
  /** Null: no server is registered for notifications. */
  url(): string | null;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
}) {
  const { notifications, deliver, clock, log, closing } = options;
  const background = new Set<Promise<void>>();
  let plans: z.output<typeof deliveryPlanShape>[] = [];
  let retryMs = 2_000;

  function takePlan() {
    const [plan = AS_USUAL] = plans;
    if (plan !== AS_USUAL) plan.times -= 1;
    plans = plans.filter(({ times }) => times > 0);
    return plan;
  }

  function inBackground(work: Promise<void>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => log.error({ cause: String(error) }, 'a simulated notification was not recorded'))
      .finally(() => background.delete(running));
    background.add(running);
  }

  async function post(url: string, signedPayload: string): Promise<SendAttempt> {
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

  /** Sends it again until it is accepted, or often enough. */
  async function retry(url: string, { notificationUUID, signedPayload }: Notification): Promise<void> {
    for (let attempt = 2; attempt <= ATTEMPTS_MAX; attempt += 1) {
      await wait(retryMs * 2 ** (attempt - 2), closing);
      if (closing.aborted) return;
      const made = await post(url, signedPayload);
      await notifications.addAttempt(notificationUUID, made);
      if (made.sendAttemptResult === 'SUCCESS') return;
    }
  }

  /** Sends all copies. Apple records an attempt, not how often it arrives. */
  async function sendNow(url: string, notification: Notification, copies: number): Promise<Statuses> {
    const made: SendAttempt[] = [];
    for (let copy = 0; copy < copies && !closing.aborted; copy += 1) {
      made.push(await post(url, notification.signedPayload));
    }
    const best = made.find(({ sendAttemptResult }) => sendAttemptResult === 'SUCCESS') ?? made[0];
    if (best) await notifications.addAttempt(notification.notificationUUID, best);
    if (best && best.sendAttemptResult !== 'SUCCESS') inBackground(retry(url, notification));
    return made.map(({ status }) => status);
  }

  /** As the next plan has it. */
  async function deliverPlanned(url: string, notification: Notification): Promise<Statuses> {
    const { notificationUUID } = notification;
    const { isLost, copies, delayMs } = takePlan();
    if (isLost) {
      const attemptDate = clock.now().getTime();
      await notifications.addAttempt(notificationUUID, { attemptDate, status: null, sendAttemptResult: 'NO_RESPONSE' });
      return [];
    }
    if (delayMs === 0) return sendNow(url, notification, copies);
    inBackground(
      wait(delayMs, closing).then(async () => {
        await sendNow(url, notification, copies);
      }),
    );
    return [];
  }

  return {
    /** Whether a server is registered. */
    isRegistered: () => options.url() !== null,
    /**
     * Resolves with the server's first answer to each copy: none where the notification is lost or late, or no server is
     * registered. What is refused is sent again in the background.
     */
    async send(notice: Notice): Promise<Statuses> {
      const url = options.url();
      return url === null ? [] : deliverPlanned(url, await notifications.create(notice));
    },
    /** Resolves with the id of a notification that is sent in the background. Throws where no server is registered. */
    async sendLater(notice: Notice): Promise<string> {
      const url = options.url();
      if (url === null) throw new Error('no server is registered for notifications');
      const notification = await notifications.create(notice);
      inBackground(deliverPlanned(url, notification).then(() => {}));
      return notification.notificationUUID;
    },
    plan(plan: DeliveryPlanInput): void {
      plans.push(deliveryPlanShape.parse(plan));
    },
    clearPlans(): void {
      plans = [];
    },
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    async close(): Promise<void> {
      while (background.size > 0) await Promise.all(background);
    },
  };
}

export type Notifier = ReturnType<typeof createNotifier>;
