/** What the simulated Stripe knows, for as long as it runs. Times are unix seconds, as everywhere at Stripe. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import { noSuch } from './errors.ts';
import type { SessionParams } from './params.ts';

export type Refund = {
  id: string;
  amount: number;
  status: 'pending' | 'succeeded' | 'failed' | 'canceled';
  created: number;
};
export type Dispute = {
  id: string;
  amount: number;
  status: 'warning_needs_response' | 'warning_closed' | 'needs_response' | 'won' | 'lost';
  created: number;
  /** What left the account, and what came back. */
  moved: number[];
};
/** A payment intent and its charge. */
export type Payment = {
  id: string;
  chargeId: string;
  amount: number;
  currency: string;
  status: 'requires_payment_method' | 'processing' | 'succeeded';
  metadata: Record<string, string>;
  created: number;
  refunds: Refund[];
  disputes: Dispute[];
};
export type Session = {
  id: string;
  url: string;
  params: SessionParams;
  amount: number;
  currency: string;
  status: 'open' | 'complete' | 'expired';
  isPaid: boolean;
  created: number;
  payment: Payment | null;
};

const ID_BYTES = 18;
const SESSION_SECONDS = 86_400;

export function createStore({ clock, isLive }: { clock: Clock; isLive: boolean }) {
  const sessions = new Map<string, Session>();
  const payments = new Map<string, Payment>();
  const now = () => Math.floor(clock.now().getTime() / 1000);

  return {
    isLive,
    now,
    newId: (prefix: string): string => `${prefix}_${randomBytes(ID_BYTES).toString('hex')}`,
    addSession(session: Session): void {
      sessions.set(session.id, session);
    },
    addPayment(payment: Payment): void {
      payments.set(payment.id, payment);
    },
    /** A page is open for a day. */
    session(id: string): Session {
      const session = sessions.get(id);
      if (!session) throw noSuch('checkout.session', id);
      if (session.status === 'open' && now() >= session.created + SESSION_SECONDS) session.status = 'expired';
      return session;
    },
    sessions: (): Session[] => [...sessions.values()],
    payment(id: string): Payment {
      const payment = payments.get(id);
      if (!payment) throw noSuch('payment_intent', id, 'intent');
      return payment;
    },
    payments: (): Payment[] => [...payments.values()],
  };
}

export type Store = ReturnType<typeof createStore>;

/** What refunds have taken: one that failed has not. */
export function refundedOf({ refunds }: Payment): number {
  const standing = refunds.filter(({ status }) => status === 'pending' || status === 'succeeded');
  return standing.reduce((sum, { amount }) => sum + amount, 0);
}
