/** What customers do at the page, and whether their money arrives. */
import { StripeFault } from './errors.ts';
import type { Events, Happened } from './events.ts';
import { createFacts } from './facts.ts';
import type { Payment, Session, Store } from './store.ts';

export function createCustomers(store: Store, events: Events) {
  const about = createFacts(store);

  function openSession(id: string): Session {
    const session = store.session(id);
    if (session.status !== 'open') throw new StripeFault(400, 'This checkout session is not open any more.');
    return session;
  }

  return {
    /** The customer pays. `isDelayed`: by a bank transfer, which `settle` ends. */
    async pay(sessionId: string, { isDelayed = false } = {}): Promise<Happened> {
      const session = openSession(sessionId);
      const payment = paymentOf(store, session);
      session.status = 'complete';
      session.isPaid = !isDelayed;
      payment.status = isDelayed ? 'processing' : 'succeeded';
      const made = isDelayed
        ? [about.payment('payment_intent.processing', payment)]
        : [about.charge('charge.succeeded', payment), about.payment('payment_intent.succeeded', payment)];
      const completed = about.session('checkout.session.completed', session);
      return { id: payment.id, events: await events.emit(...made, completed) };
    },

    /** The bank transfer of a delayed payment arrives, or does not. */
    async settle(sessionId: string, hasArrived: boolean): Promise<Happened> {
      const session = store.session(sessionId);
      const payment = paymentOf(store, session);
      session.isPaid = hasArrived;
      payment.status = hasArrived ? 'succeeded' : 'requires_payment_method';
      const word = hasArrived ? 'succeeded' : 'failed';
      const made = about.session(`checkout.session.async_payment_${word}`, session);
      return { id: payment.id, events: await events.emit(made) };
    },

    /** The card is declined; the page stays open. */
    async decline(sessionId: string): Promise<Happened> {
      const payment = paymentOf(store, openSession(sessionId));
      const made = [about.charge('charge.failed', payment), about.payment('payment_intent.payment_failed', payment)];
      return { id: payment.id, events: await events.emit(...made) };
    },

    async expire(sessionId: string): Promise<Happened> {
      const session = openSession(sessionId);
      session.status = 'expired';
      return { id: session.id, events: await events.emit(about.session('checkout.session.expired', session)) };
    },
  };
}

export type Customers = ReturnType<typeof createCustomers>;

/** Each session has one payment, however often a card is declined. */
function paymentOf(store: Store, session: Session): Payment {
  if (session.payment) return session.payment;
  session.payment = {
    id: store.newId('pi'),
    chargeId: store.newId('ch'),
    amount: session.amount,
    currency: session.currency,
    status: 'requires_payment_method',
    metadata: session.params.payment_intent_data.metadata,
    created: store.now(),
    refunds: [],
    disputes: [],
  };
  store.addPayment(session.payment);
  return session.payment;
}
