/** What an error of Stripe's library means. Its messages may repeat what we sent, so only codes reach the log. */
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { errorCodeInChain, errorLabel } from '../../kernel/error-code.ts';
import { retryAfterMsOf } from '../../kernel/retry.ts';
import type { PaymentFailure } from '../port.ts';

export type Refusal = { outcome: 'declined'; cause: string } | { outcome: 'missing' } | { outcome: 'key_reused' };

const word = (pattern: RegExp) => z.string().regex(pattern).optional().catch(undefined);

/** Fields of the library's errors. An error of anything else has no status. */
const Answer = z.object({
  type: word(/^\w{1,60}$/),
  statusCode: z.int(),
  code: word(/^\w{1,60}$/),
  param: word(/^[\w[\]]{1,100}$/),
  requestId: word(/^\w{1,60}$/),
  headers: z.record(z.string(), z.string()).optional().catch(undefined),
});

/** A 404 is `missing`; any other 4xx that is about the request itself is `declined`. */
export function failureOf(error: unknown, clock: Clock): PaymentFailure | Refusal {
  const answer = Answer.safeParse(error).data;
  if (!answer) return { outcome: 'unreachable', cause: silenceOf(error), retryAfterMs: null };
  const { statusCode, type, code, param, requestId } = answer;
  const details = [code ?? type, param, requestId].filter((text) => text !== undefined);
  const cause = [`answered ${statusCode}`, ...details].join(' ');
  if (type === 'StripeIdempotencyError') return { outcome: 'key_reused' };
  if (statusCode === 404) return { outcome: 'missing' };
  // A 402 is about a card, and no card is named here.
  if (statusCode === 400 || statusCode === 402) return { outcome: 'declined', cause };
  const retryAfterMs = retryAfterMsOf(new Headers(answer.headers), clock);
  return { outcome: statusCode === 401 || statusCode === 403 ? 'refused' : 'unreachable', cause, retryAfterMs };
}

/** Why there was no answer, or none that can be used. */
function silenceOf(error: unknown): string {
  if (error instanceof z.ZodError) return 'answered something else than documented';
  const { detail } = Object(error);
  return errorCodeInChain(detail) ?? errorLabel(detail ?? error);
}
