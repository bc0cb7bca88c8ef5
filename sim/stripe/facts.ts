import type { Fact } from './events.ts';
import { chargeJson, disputeJson, paymentJson, refundJson, sessionJson } from './objects.ts';
import type { Dispute, Payment, Refund, Session, Store } from './store.ts';

/** What an event of each kind says: the object as it is now. */
export function createFacts(store: Store) {
  return {
    session: (type: string, session: Session): Fact => ({ type, object: sessionJson(session, store) }),
    payment: (type: string, payment: Payment): Fact => ({ type, object: paymentJson(payment, store) }),
    charge: (type: string, payment: Payment): Fact => ({ type, object: chargeJson(payment, store) }),
    refund: (type: string, refund: Refund, payment: Payment): Fact => ({ type, object: refundJson(refund, payment) }),
    dispute: (type: string, dispute: Dispute, payment: Payment): Fact => ({
      type,
      object: disputeJson(dispute, payment, store),
    }),
  };
}
