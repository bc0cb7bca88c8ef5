/** What the HTTP status of the reply to a submit means. It is the same for every provider. */
import type { Clock } from '../kernel/clock.ts';
import { retryAfterMsOf } from '../kernel/retry.ts';
import type { SubmitOutcome } from './provider.ts';
import type { Reply } from './reply.ts';

export type SubmitVerdict = 'accepted' | 'retryable' | 'unknown' | 'our_fault' | 'no_endpoint' | 'declined';

/** Not allowed, or not paid for: another prompt would not help. */
const OUR_FAULT = new Set([401, 402, 403]);
/** The endpoint does not exist, or no longer. */
const NO_ENDPOINT = new Set([404, 405, 410]);
/** A gateway may answer with these after it has passed the request on. */
const AMBIGUOUS = new Set([408, 409, 425, 499]);

export function submitVerdictOf(status: number): SubmitVerdict {
  if (status >= 200 && status < 300) return 'accepted';
  if (status === 429 || status === 503) return 'retryable';
  if (status < 400 || status >= 500 || AMBIGUOUS.has(status)) return 'unknown';
  if (OUR_FAULT.has(status)) return 'our_fault';
  return NO_ENDPOINT.has(status) ? 'no_endpoint' : 'declined';
}

/** The outcome of a submit that the vendor did not accept now. */
export function retryableBy({ status, headers }: Reply, cause: string, clock: Clock): SubmitOutcome {
  const retryAfterMs = retryAfterMsOf(headers, clock);
  return {
    outcome: 'retryable',
    cause,
    ...(status === 429 ? { isBusy: true } : {}),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}
