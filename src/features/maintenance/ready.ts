import { within } from '../../kernel/sleep.ts';
import type { Context } from '../context.ts';

export type Readiness = { ready: boolean; checks: { database: boolean; migrations: boolean; worker: boolean | null } };

/** Load balancers give a check about this long. */
const ANSWER_MAX_MS = 3_000;

/**
 * Checks that the database responds and is migrated, and that the worker runs (null: the worker is another process). A server
 * that is shutting down is not ready.
 */
export async function readReadiness(
  ctx: Pick<Context, 'db' | 'latestMigration' | 'stopping'>,
  isWorking: () => boolean | null,
): Promise<Readiness> {
  const migrated = ctx.db.read
    .selectFrom('schema_history')
    .select('name')
    .where('name', '=', ctx.latestMigration)
    .executeTakeFirst()
    .then((row) => row !== undefined);
  const found = await within(ANSWER_MAX_MS, migrated).catch(() => undefined);
  const [database, migrations] = [found !== undefined, found ?? false];
  const worker = isWorking();
  return { ready: migrations && worker !== false && !ctx.stopping.aborted, checks: { database, migrations, worker } };
}
