/** The notifications that the simulated App Store has tried to send, with what became of each. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { openRecords } from '../records.ts';
import type { Identity } from './identity.ts';
import type { Stamps } from './stamps.ts';
import { ENVIRONMENTS, type Environment, payloadOf, type Transaction } from './transactions.ts';

export const CONSUMPTION_REQUEST_REASONS = [
  'UNINTENDED_PURCHASE',
  'FULFILLMENT_ISSUE',
  'UNSATISFIED_WITH_PURCHASE',
  'LEGAL',
  'OTHER',
] as const;
export type ConsumptionRequestReason = (typeof CONSUMPTION_REQUEST_REASONS)[number];

const attemptShape = z.object({
  attemptDate: z.number(),
  sendAttemptResult: z.enum(['SUCCESS', 'TIMED_OUT', 'NO_RESPONSE', 'UNSUCCESSFUL_HTTP_RESPONSE_CODE']),
  /** The HTTP status of the server's answer; null: there was none. */
  status: z.int().nullable(),
});
export type SendAttempt = z.infer<typeof attemptShape>;

const notificationShape = z.object({
  notificationUUID: z.uuid(),
  type: z.string(),
  subtype: z.string().nullable(),
  environment: z.enum(ENVIRONMENTS),
  transactionId: z.string().nullable(),
  customer: z.string().nullable(),
  signedDate: z.number(),
  signedPayload: z.string(),
  attempts: z.array(attemptShape),
});
export type Notification = z.infer<typeof notificationShape>;

/** `transaction`: as it is now, or null where it is about none. */
export type Notice = {
  type: string;
  subtype?: string | undefined;
  environment: Environment;
  transaction: Transaction | null;
  consumptionRequestReason?: ConsumptionRequestReason | undefined;
};

/** `appId`: App Store Connect's number of the app, which Apple leaves out in the sandbox. */
export type App = { bundleId: string; appId: number };

const KEPT_MS = 180 * 24 * 3600_000;
/** Apple lists six: the first and five more. */
const ATTEMPTS_KEPT = 6;

export async function openNotifications(
  folder: string,
  { app, identity, stamp, clock }: { app: App; identity: Identity; stamp: Stamps; clock: Clock },
) {
  const records = await openRecords({
    folder,
    shape: notificationShape,
    idOf: ({ notificationUUID }) => notificationUUID,
    atMsOf: ({ signedDate }) => signedDate,
  });
  await records.deleteBefore(clock.now().getTime() - KEPT_MS);

  async function signedPayloadOf(notice: Notice, notificationUUID: string, signedDate: number): Promise<string> {
    const { type, subtype, environment, transaction, consumptionRequestReason } = notice;
    return identity.sign({
      notificationType: type,
      ...(subtype === undefined ? {} : { subtype }),
      notificationUUID,
      data: {
        ...(environment === 'Production' ? { appAppleId: app.appId } : {}),
        bundleId: app.bundleId,
        bundleVersion: '1',
        environment,
        ...(transaction && {
          signedTransactionInfo: await identity.sign(payloadOf(transaction, app.bundleId, signedDate)),
        }),
        ...(consumptionRequestReason === undefined ? {} : { consumptionRequestReason }),
      },
      version: '2.0',
      signedDate,
    });
  }

  return {
    /** Undefined for a text that names none. */
    async find(notificationUUID: string): Promise<Notification | undefined> {
      return z.uuid().safeParse(notificationUUID).success ? records.read(notificationUUID) : undefined;
    },
    /** Oldest first. */
    list: records.list,
    async create(notice: Notice): Promise<Notification> {
      const [notificationUUID, signedDate] = [randomUUID(), stamp()];
      const created: Notification = {
        notificationUUID,
        type: notice.type,
        subtype: notice.subtype ?? null,
        environment: notice.environment,
        transactionId: notice.transaction?.transactionId ?? null,
        customer: notice.transaction?.customer ?? null,
        signedDate,
        signedPayload: await signedPayloadOf(notice, notificationUUID, signedDate),
        attempts: [],
      };
      await records.write(created);
      return created;
    },
    async addAttempt(notificationUUID: string, attempt: SendAttempt): Promise<void> {
      const attempts = (await records.read(notificationUUID))?.attempts ?? [];
      if (attempts.length < ATTEMPTS_KEPT) await records.change(notificationUUID, { attempts: [...attempts, attempt] });
    },
  };
}

export type Notifications = Awaited<ReturnType<typeof openNotifications>>;

export const isDelivered = ({ attempts }: Notification): boolean =>
  attempts.some(({ sendAttemptResult }) => sendAttemptResult === 'SUCCESS');
