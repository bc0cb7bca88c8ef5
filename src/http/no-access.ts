import { Problem } from '../kernel/errors.ts';
import { HttpProblem } from './http-problem.ts';

/**
 * Why a request has no account: it sent no bearer token, one that is not valid, one of a session that has ended, or one of an
 * account that is deleted. Supabase's auth clients tell these apart; the contract's error body does not.
 */
export type NoAccessReason = 'missing' | 'bad_token' | 'signed_out' | 'gone';

/** ERR_4005 (401). */
export class NoAccess extends HttpProblem {
  readonly why: NoAccessReason;

  constructor(why: NoAccessReason, cause?: unknown) {
    const tokenFault = cause instanceof Problem ? cause.details.reason : 'invalid';
    super('ERR_4005', {
      // RFC 6750: the challenge names the error only if a token was sent.
      headers: why === 'bad_token' ? { 'WWW-Authenticate': 'Bearer error="invalid_token"' } : {},
      details: why === 'bad_token' ? { reason: tokenFault } : {},
      cause,
    });
    this.why = why;
  }
}
