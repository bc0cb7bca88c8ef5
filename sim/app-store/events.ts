/** What customers and Apple do with purchases, and what the app's server hears of it. */
import type { AppStoreParts } from './app.ts';
import type { ConsumptionRequestReason, Notice } from './notifications.ts';
import {
  type Environment,
  type PurchaseInput,
  payloadOf,
  REVOCATION_PERCENTAGE_WHOLE,
  type Transaction,
} from './transactions.ts';

/** `signedTransaction`: as it is now. `statuses`: the server's answer to each copy of the notification that was sent at once. */
export type Told = { transactionId: string; signedTransaction: string; statuses: (number | null)[] };

/** In percent, with three decimals at most; all by default. */
export type RefundOptions = { percentage?: number | undefined; reason?: 0 | 1 | undefined };

export type Events = {
  buy(purchase: PurchaseInput): Promise<Told>;
  /** More than before, where a part was refunded already. */
  refund(transactionId: string, options?: RefundOptions): Promise<Told>;
  /** Apple takes the refund back. */
  reverseRefund(transactionId: string): Promise<Told>;
  /** Apple declines what the customer asked for. */
  declineRefund(transactionId: string): Promise<Told>;
  /** The customer leaves the family that shares the purchase. */
  revoke(transactionId: string): Promise<Told>;
  /** The customer has asked for a refund. */
  askForConsumption(transactionId: string, reason?: ConsumptionRequestReason): Promise<Told>;
  sendTest(environment?: Environment): Promise<{ statuses: (number | null)[] }>;
  /** Sends a notification alone: nothing has happened at Apple. */
  notify(notice: {
    type: string;
    subtype?: string | undefined;
    environment?: Environment | undefined;
    transactionId?: string | undefined;
  }): Promise<{ statuses: (number | null)[] }>;
};

type Parts = Pick<AppStoreParts, 'app' | 'identity' | 'transactions' | 'notifier' | 'stamp'>;

export function createEvents(parts: Parts): Events {
  const { app, identity, transactions, notifier, stamp } = parts;

  async function tell(type: string, transaction: Transaction, more: Partial<Notice> = {}): Promise<Told> {
    const { transactionId, environment } = transaction;
    const signedTransaction = await identity.sign(payloadOf(transaction, app.bundleId, stamp()));
    const statuses = await notifier.send({ type, environment, transaction, ...more });
    return { transactionId, signedTransaction, statuses };
  }

  return {
    async buy(purchase) {
      return tell('ONE_TIME_CHARGE', await transactions.create(purchase));
    },

    async refund(transactionId, { percentage = 100, reason = 0 } = {}) {
      const milliunits = Math.round(percentage * 1000);
      if (!(milliunits >= 1 && milliunits <= REVOCATION_PERCENTAGE_WHOLE)) {
        throw new Error('a refund is of more than 0 and at most 100 percent');
      }
      const { revocation } = await transactions.get(transactionId);
      if (revocation && revocation.percentage >= milliunits) {
        throw new Error(`${revocation.percentage / 1000} % of ${transactionId} is revoked already`);
      }
      const type = milliunits === REVOCATION_PERCENTAGE_WHOLE ? 'REFUND_FULL' : 'REFUND_PRORATED';
      const refunded = await transactions.setRevocation(transactionId, { reason, type, percentage: milliunits });
      return tell('REFUND', refunded);
    },

    async reverseRefund(transactionId) {
      const { revocation } = await transactions.get(transactionId);
      if (!revocation?.type.startsWith('REFUND_')) throw new Error(`${transactionId} is not refunded`);
      return tell('REFUND_REVERSED', await transactions.setRevocation(transactionId, null));
    },

    async declineRefund(transactionId) {
      return tell('REFUND_DECLINED', await transactions.get(transactionId));
    },

    async revoke(transactionId) {
      const { revocation } = await transactions.get(transactionId);
      if (revocation?.percentage === REVOCATION_PERCENTAGE_WHOLE)
        throw new Error(`${transactionId} is revoked already`);
      const whole = { reason: 0, type: 'FAMILY_REVOKE', percentage: REVOCATION_PERCENTAGE_WHOLE } as const;
      return tell('REVOKE', await transactions.setRevocation(transactionId, whole));
    },

    async askForConsumption(transactionId, consumptionRequestReason = 'UNINTENDED_PURCHASE') {
      return tell('CONSUMPTION_REQUEST', await transactions.get(transactionId), { consumptionRequestReason });
    },

    async sendTest(environment = 'Sandbox') {
      return { statuses: await notifier.send({ type: 'TEST', environment, transaction: null }) };
    },

    async notify({ type, subtype, environment = 'Sandbox', transactionId }) {
      const transaction = transactionId === undefined ? null : await transactions.get(transactionId);
      const notice = { type, subtype, transaction, environment: transaction?.environment ?? environment };
      return { statuses: await notifier.send(notice) };
    },
  };
}
