/** What happens to payments: by customers at the page, by their banks, and by the shop's operator. */
import { StripeFault } from './errors.ts';
import type { Events, StripeEvent } from './events.ts';
import { chargeJson, disputeJson, paymentJson, refundJson, sessionJson } from './objects.ts';
import { type Dispute, type Payment, type Refund, refundedOf, type Session, type Store } from './store.ts';

export type Happened = { id: string; events: StripeEvent[] };

export function createHappenings({ store, events }: { store: Store; events: Events }) {
  const about = {
    session: (type: string, session: Session) => ({ type, object: sessionJson(session, store) }),
    payment: (type: string, payment: Payment) => ({ type, object: paymentJson(payment, store) }),
    charge: (type: string, payment: Payment) => ({ type, object: chargeJson(payment, store) }),
    refund: (type: string, refund: Refund, payment: Payment) => ({ type, object: refundJson(refund, payment) }),
    dispute: (type: string, dispute: Dispute, payment: Payment) => ({
      type,
      object: disputeJson(dispute, payment, store),
    }),
  };

  function openSession(id: string): Session {
    const session = store.session(id);
    if (session.status !== 'open') throw new StripeFault(400, 'This checkout session is not open any more.');
    return session;
  }

  /** Each session has one payment, however often a card is declined. */
  function paymentOf(session: Session): Payment {
    session.payment ??= {
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

  function refundNamed(id: string): { payment: Payment; refund: Refund } {
    for (const payment of store.payments()) {
      const refund = payment.refunds.find((each) => each.id === id);
      if (refund) return { payment, refund };
    }
    throw new StripeFault(404, `No such refund: '${id}'`, { code: 'resource_missing' });
  }

  function disputeNamed(id: string): { payment: Payment; dispute: Dispute } {
    for (const payment of store.payments()) {
      const dispute = payment.disputes.find((each) => each.id === id);
      if (dispute) return { payment, dispute };
    }
    throw new StripeFault(404, `No such dispute: '${id}'`, { code: 'resource_missing' });
  }

  return {
    /** The customer pays. `isDelayed`: by a bank transfer, which `settle` ends. */
    async pay(sessionId: string, { isDelayed = false } = {}): Promise<Happened> {
      const session = openSession(sessionId);
      const payment = paymentOf(session);
      session.status = 'complete';
      session.isPaid = !isDelayed;
      payment.status = isDelayed ? 'processing' : 'succeeded';
      const made = isDelayed
        ? [about.payment('payment_intent.processing', payment)]
        : [about.charge('charge.succeeded', payment), about.payment('payment_intent.succeeded', payment)];
      return {
        id: payment.id,
        events: await events.emit(...made, about.session('checkout.session.completed', session)),
      };
    },

    /** The bank transfer of a delayed payment arrives, or does not. */
    async settle(sessionId: string, hasArrived: boolean): Promise<Happened> {
      const session = store.session(sessionId);
      const payment = paymentOf(session);
      session.isPaid = hasArrived;
      payment.status = hasArrived ? 'succeeded' : 'requires_payment_method';
      const word = hasArrived ? 'succeeded' : 'failed';
      const made = about.session(`checkout.session.async_payment_${word}`, session);
      return { id: payment.id, events: await events.emit(made) };
    },

    /** The card is declined; the page stays open. */
    async decline(sessionId: string): Promise<Happened> {
      const payment = paymentOf(openSession(sessionId));
      const made = [about.charge('charge.failed', payment), about.payment('payment_intent.payment_failed', payment)];
      return { id: payment.id, events: await events.emit(...made) };
    },

    async expire(sessionId: string): Promise<Happened> {
      const session = openSession(sessionId);
      session.status = 'expired';
      return { id: session.id, events: await events.emit(about.session('checkout.session.expired', session)) };
    },

    /** All that is left unless an amount is given. */
    async refund(paymentId: string, { amount, isPending = false }: { amount?: number; isPending?: boolean } = {}) {
      const payment = store.payment(paymentId);
      const left = payment.amount - refundedOf(payment);
      const code = 'charge_already_refunded';
      if (payment.status !== 'succeeded') throw new StripeFault(400, 'This payment was not paid.');
      if (left === 0) throw new StripeFault(400, `Charge ${payment.chargeId} has already been refunded.`, { code });
      if ((amount ?? left) > left) throw new StripeFault(400, 'The refund is larger than what is left of the charge.');
      const refund: Refund = {
        id: store.newId('re'),
        amount: amount ?? left,
        status: isPending ? 'pending' : 'succeeded',
        created: store.now(),
      };
      payment.refunds.push(refund);
      const made = [about.refund('refund.created', refund, payment), about.charge('charge.refunded', payment)];
      return { id: refund.id, events: await events.emit(...made), refund, payment };
    },

    /** The bank does not take the money: it comes back to the shop. */
    async failRefund(refundId: string): Promise<Happened> {
      const { payment, refund } = refundNamed(refundId);
      refund.status = 'failed';
      const types = ['refund.updated', 'refund.failed', 'charge.refund.updated'];
      return { id: refundId, events: await events.emit(...types.map((type) => about.refund(type, refund, payment))) };
    },

    /** The customer asks the bank for the money. An inquiry takes none yet. */
    async dispute(paymentId: string, { amount, isInquiry = false }: { amount?: number; isInquiry?: boolean } = {}) {
      const payment = store.payment(paymentId);
      const taken = amount ?? payment.amount;
      const dispute: Dispute = {
        id: store.newId('du'),
        amount: taken,
        status: isInquiry ? 'warning_needs_response' : 'needs_response',
        created: store.now(),
        moved: isInquiry ? [] : [-taken],
      };
      payment.disputes.push(dispute);
      const types = ['charge.dispute.created', ...(isInquiry ? [] : ['charge.dispute.funds_withdrawn'])];
      return {
        id: dispute.id,
        events: await events.emit(...types.map((type) => about.dispute(type, dispute, payment))),
      };
    },

    /** The bank decides. */
    async closeDispute(disputeId: string, isWon: boolean): Promise<Happened> {
      const { payment, dispute } = disputeNamed(disputeId);
      const isInquiry = dispute.status.startsWith('warning_');
      dispute.status = isInquiry ? 'warning_closed' : isWon ? 'won' : 'lost';
      if (isWon && !isInquiry) dispute.moved.push(dispute.amount);
      const types = [...(isWon && !isInquiry ? ['charge.dispute.funds_reinstated'] : []), 'charge.dispute.closed'];
      return {
        id: disputeId,
        events: await events.emit(...types.map((type) => about.dispute(type, dispute, payment))),
      };
    },
  };
}

export type Happenings = ReturnType<typeof createHappenings>;
