import { wait } from '../faults.ts';
import { createDeliveryPlans } from './delivery-plans.ts';
import type { Notice, Notification } from './notifications.ts';
import { createSender, type SenderOptions } from './sender.ts';

type Statuses = (number | null)[];

/** Tells a server what happens, unless a plan has it lost or late. `url` is null while no server is registered. */
export function createNotifier({ url: urlOf, ...options }: SenderOptions & { url(): string | null }) {
  const { notifications, clock, closing } = options;
  const plans = createDeliveryPlans();
  const sender = createSender(options);

  async function deliver(url: string, notification: Notification): Promise<Statuses> {
    const { isLost, copies, delayMs } = plans.take();
    if (isLost) {
      const lost = { attemptDate: clock.now().getTime(), status: null, sendAttemptResult: 'NO_RESPONSE' } as const;
      await notifications.addAttempt(notification.notificationUUID, lost);
      return [];
    }
    if (delayMs === 0) return sender.send(url, notification, copies);
    sender.inBackground(
      wait(delayMs, closing).then(async () => {
        await sender.send(url, notification, copies);
      }),
    );
    return [];
  }

  return {
    /** Whether a server is registered. */
    isRegistered: () => urlOf() !== null,
    /**
     * Resolves with the server's first answer to each copy: none where the notification is lost or late, or no server is
     * registered. What is refused is sent again in the background.
     */
    async send(notice: Notice): Promise<Statuses> {
      const url = urlOf();
      return url === null ? [] : deliver(url, await notifications.create(notice));
    },
    /** Resolves with the id of a notification that is sent in the background. Throws where no server is registered. */
    async sendLater(notice: Notice): Promise<string> {
      const url = urlOf();
      if (url === null) throw new Error('no server is registered for notifications');
      const notification = await notifications.create(notice);
      sender.inBackground(deliver(url, notification).then(() => {}));
      return notification.notificationUUID;
    },
    plan: plans.add,
    clearPlans: plans.clear,
    setRetryMs: sender.setRetryMs,
    close: sender.close,
  };
}

export type Notifier = ReturnType<typeof createNotifier>;
