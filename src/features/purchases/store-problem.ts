import { Problem } from '../../kernel/errors.ts';
import type { PaymentFailure } from '../../payments/port.ts';
import type { Context } from '../context.ts';
import { reportRefusedKey } from './refused-key.ts';

/** If the store does not say when to come back. */
const RETRY_AFTER_SECONDS = 30;

/** ERR_5006 (503): nothing is lost, and the caller asks again. */
export function unavailable(cause: string, retryAfterMs: number | null): Problem {
  const retryAfterSeconds = retryAfterMs === null ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new Problem('ERR_5006', { retryAfterSeconds, cause });
}

/** Returns the ERR_5006 for a store that gives no answer, or refuses our own key, which an operator has to know. */
export async function storeProblem(
  ctx: Pick<Context, 'db' | 'log'>,
  { outcome, cause, retryAfterMs }: PaymentFailure,
): Promise<Problem> {
  if (outcome === 'refused') await reportRefusedKey(ctx, 'stripe', cause);
  else ctx.log.warn({ cause }, 'Stripe cannot be reached');
  return unavailable(cause, retryAfterMs);
}
