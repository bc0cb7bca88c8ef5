import { errorLabel } from '../../../kernel/error-code.ts';
import type { Context } from '../../context.ts';

type Violation = { invariant: string; subject: string; details: unknown };

/** Users in one statement, so that the check takes short statements however many rows there are. */
const USERS_PER_RANGE = 1_000;

/**
 * Checks the money rules over all users and logs every violation as an error. Repairs nothing: an operator has to find the
 * cause first. A check that cannot finish is an error in the log too.
 */
export async function reconcile(ctx: Pick<Context, 'db' | 'log'>, signal: AbortSignal): Promise<Violation[]> {
  const violations: Violation[] = [];
  let after: string | null = null;
  let users = 0;
  try {
    do {
      signal.throwIfAborted();
      const until: string | null = await endOfRange(ctx, after);
      const found = await ctx.db.rows('broken_invariants', { after, until });
      for (const violation of found) ctx.log.error(violation, 'a money invariant is broken');
      violations.push(...found);
      after = until;
      users += USERS_PER_RANGE;
    } while (after !== null);
  } catch (error) {
    if (!signal.aborted) ctx.log.error({ code: errorLabel(error), users }, 'the check of the money did not finish');
    throw error;
  }
  return violations;
}

/** The last user of the next range; null if the range is the last. */
async function endOfRange(ctx: Pick<Context, 'db'>, after: string | null): Promise<string | null> {
  const row = await ctx.db.read
    .selectFrom('users')
    .select('id')
    .$if(after !== null, (users) => users.where('id', '>', after ?? ''))
    .orderBy('id')
    .offset(USERS_PER_RANGE - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}
