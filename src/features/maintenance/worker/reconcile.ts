import { sql } from 'kysely';
import { errorLabel } from '../../../kernel/error-code.ts';
import type { Context } from '../../context.ts';
import { logViolations } from './log-violations.ts';

/** Users in one statement, so that the check takes short statements however many rows there are. */
const USERS_PER_RANGE = 1_000;

/**
 * Checks the money rules over all users, logs every new violation as an error and removes those that hold again from the
 * open ones. Repairs nothing: an operator has to find the cause first. A check that cannot finish is an error in the log
 * too. Returns how many violations are open.
 */
export async function reconcile(ctx: Pick<Context, 'db' | 'log'>, signal: AbortSignal): Promise<number> {
  let after: string | null = null;
  let users = 0;
  try {
    const before = await databaseTime(ctx);
    do {
      signal.throwIfAborted();
      const until: string | null = await endOfRange(ctx, after);
      logViolations(ctx, await ctx.db.call('check_range', { after, until }));
      after = until;
      users += USERS_PER_RANGE;
    } while (after !== null);
    return await ctx.db.call('close_violations', { before });
  } catch (error) {
    if (!signal.aborted) ctx.log.error({ code: errorLabel(error), users }, 'the check of the money did not finish');
    throw error;
  }
}

async function databaseTime(ctx: Pick<Context, 'db'>): Promise<Date> {
  return (await ctx.db.read.selectNoFrom(sql<Date>`now()`.as('now')).executeTakeFirstOrThrow()).now;
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
