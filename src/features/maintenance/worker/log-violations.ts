import type { Context } from '../../context.ts';
import { explainViolation, type Violation } from '../violations.ts';

/** One fault may break a rule for thousands of accounts: the database has them all. */
const LOGGED_MAX = 100;

/** Logs violations that were not known, as errors. */
export function logViolations(ctx: Pick<Context, 'log'>, violations: Violation[]): void {
  for (const violation of violations.slice(0, LOGGED_MAX)) {
    ctx.log.error({ ...violation, explanation: explainViolation(violation) }, 'a money invariant is broken');
  }
  const unlogged = violations.length - LOGGED_MAX;
  if (unlogged > 0) ctx.log.error({ unlogged }, 'more money invariants are broken: npm run admin -- audit');
}
