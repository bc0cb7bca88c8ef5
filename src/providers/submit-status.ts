/** What the status of an answer to a submit says, for every provider alike. */
import type { Clock } from '../kernel/clock.ts';
import { retryAfterMsOf } from '../kernel/retry.ts';
import type { SubmitOutcome } from './provider.ts';
import type { Reply } from './reply.ts';

export type SubmitVerdict = 'taken' | 'retryable' | 'unknown' | 'our_fault' | 'no_endpoint' | 'declined';

/** Not allowed, or not paid for: nothing that another prompt would change. */
const OUR_FAULT = new Set([401, 402, 403]);
/** The endpoint has gone. */
const NO_ENDPOINT = new Set([404, 405, 410]);
/** Codes that may also come from somebody on the way, after the request was passed on. */
const AMBIGUOUS = new Set([408, 409, 425, 499]);

export function submitVerdictOf(status: number): SubmitVerdict {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 429 || status === 503) return 'retryable';
  if (status < 400 || status >= 500 || AMBIGUOUS.has(status)) return 'unknown';
  if (OUR_FAULT.has(status)) return 'our_fault';
  return NO_ENDPOINT.has(status) ? 'no_endpoint' : 'declined';
}

/** The vendor asks for patience, or has none to give. */
export function retryableBy({ status, headers }: Reply, cause: string, clock: Clock): SubmitOutcome {
  const retryAfterMs = retryAfterMsOf(headers, clock);
  return {
    outcome: 'retryable',
    cause,
    ...(status === 429 ? { isBusy: true } : {}),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}
