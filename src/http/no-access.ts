import { Problem } from '../kernel/errors.ts';
import { HttpProblem } from './http-problem.ts';

/**
 * Why a request has no account: it sent no bearer token, something else in its place, a token that is not valid, one of a session
 * that has ended, or one of an account that is deleted. Supabase's auth clients tell these apart; the contract's error body does
 * not.
 */
export type NoAccessReason = 'missing' | 'malformed' | 'bad_token' | 'signed_out' | 'gone';

/** ERR_4005 (401). */
export class NoAccess extends HttpProblem {
  readonly why: NoAccessReason;

  constructor(why: NoAccessReason, cause?: unknown) {
    const tokenFault = cause instanceof Problem ? cause.details.reason : 'invalid';
    const hasToken = why === 'bad_token' || why === 'malformed';
    super('ERR_4005', {
      // RFC 6750: the challenge names the error only if a token was sent.
      headers: hasToken ? { 'WWW-Authenticate': 'Bearer error="invalid_token"' } : {},
      details: hasToken ? { reason: tokenFault } : {},
      cause,
    });
    this.why = why;
  }
}
