/** How money goes back: by refunds of the shop, and by disputes at the customers' banks. */
import { StripeFault } from './errors.ts';
import type { Events, Happened } from './events.ts';
import { createFacts } from './facts.ts';
import { type Dispute, type Payment, type Refund, refundedOf, type Store } from './store.ts';

export type RefundOptions = { amount?: number; isPending?: boolean };
export type DisputeOptions = { amount?: number; isInquiry?: boolean };

export function createBanks(store: Store, events: Events) {
  const about = createFacts(store);
  return {
    /** All that is left unless an amount is given. */
    async refund(paymentId: string, { amount, isPending = false }: RefundOptions = {}) {
      const payment = store.payment(paymentId);
      const refund: Refund = {
        id: store.newId('re'),
        amount: refundable(payment, amount),
        status: isPending ? 'pending' : 'succeeded',
        created: store.now(),
      };
      payment.refunds.push(refund);
      const made = [about.refund('refund.created', refund, payment), about.charge('charge.refunded', payment)];
      return { id: refund.id, events: await events.emit(...made), refund, payment };
    },

    /** The bank does not take the money: it comes back to the shop. */
    async failRefund(refundId: string): Promise<Happened> {
      const { payment, part: refund } = partNamed(store, 'refunds', refundId);
      refund.status = 'failed';
      const types = ['refund.updated', 'refund.failed', 'charge.refund.updated'];
      return { id: refundId, events: await events.emit(...types.map((type) => about.refund(type, refund, payment))) };
    },

    /** The customer asks the bank for the money. An inquiry takes none yet. */
    async dispute(paymentId: string, { amount, isInquiry = false }: DisputeOptions = {}): Promise<Happened> {
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
      const made = types.map((type) => about.dispute(type, dispute, payment));
      return { id: dispute.id, events: await events.emit(...made) };
    },

    /** The bank decides. */
    async closeDispute(disputeId: string, isWon: boolean): Promise<Happened> {
      const { payment, part: dispute } = partNamed(store, 'disputes', disputeId);
      const isInquiry = dispute.status.startsWith('warning_');
      dispute.status = isInquiry ? 'warning_closed' : isWon ? 'won' : 'lost';
      const comesBack = isWon && !isInquiry;
      if (comesBack) dispute.moved.push(dispute.amount);
      const types = [...(comesBack ? ['charge.dispute.funds_reinstated'] : []), 'charge.dispute.closed'];
      const made = types.map((type) => about.dispute(type, dispute, payment));
      return { id: disputeId, events: await events.emit(...made) };
    },
  };
}

export type Banks = ReturnType<typeof createBanks>;

function refundable(payment: Payment, amount?: number): number {
  const left = payment.amount - refundedOf(payment);
  if (payment.status !== 'succeeded') throw new StripeFault(400, 'This payment was not paid.');
  if (left === 0)
    throw new StripeFault(400, `Charge ${payment.chargeId} has already been refunded.`, {
      code: 'charge_already_refunded',
    });
  if ((amount ?? left) > left) throw new StripeFault(400, 'The refund is larger than what is left of the charge.');
  return amount ?? left;
}

type Parts = Pick<Payment, 'refunds' | 'disputes'>;

function partNamed<Kind extends keyof Parts>(
  store: Store,
  kind: Kind,
  id: string,
): { payment: Payment; part: Parts[Kind][number] } {
  for (const payment of store.payments()) {
    const part = payment[kind].find((each) => each.id === id);
    if (part) return { payment, part };
  }
  throw new StripeFault(404, `None of the ${kind} is '${id}'`, { code: 'resource_missing' });
}
