import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { Banks } from './banks.ts';
import type { Store } from './store.ts';

export type StripeOperation = 'create_session' | 'session' | 'payment_intent' | 'refund' | 'refunds' | 'disputes';
/** `input`: the parameters, and the idempotency key. */
export type StripeCall = Call<StripeOperation>;

export type StripeParts = {
  store: Store;
  banks: Banks;
  calls: CallLog<StripeOperation>;
  secretKey: string;
  log: Log;
};
