import { Problem } from '../../kernel/errors.ts';
import type { PaymentFailure } from '../../payments/port.ts';
import type { Context } from '../context.ts';

/** If the store does not say when to come back. */
const RETRY_AFTER_SECONDS = 30;

/** Returns the ERR_5006 for a store that gives no answer, or refuses our own key, which an operator has to know. */
export function storeProblem({ log }: Pick<Context, 'log'>, { outcome, cause, retryAfterMs }: PaymentFailure): Problem {
  if (outcome === 'refused') log.error({ cause }, 'Stripe refuses the key of this server, or a right of it');
  else log.warn({ cause }, 'Stripe cannot be reached');
  const retryAfterSeconds = retryAfterMs === null ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new Problem('ERR_5006', { retryAfterSeconds, cause });
}
