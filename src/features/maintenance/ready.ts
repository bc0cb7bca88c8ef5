import type { Context } from '../context.ts';

export type Readiness = { ready: boolean; checks: { database: boolean; migrations: boolean; worker: boolean | null } };

/** Checks that the database responds and is migrated, and that the worker runs (null: the worker is another process). */
export async function readReadiness(
  ctx: Pick<Context, 'db' | 'latestMigration'>,
  isWorking: () => boolean | null,
): Promise<Readiness> {
  let database = true;
  let migrations = false;
  try {
    const row = await ctx.db.read
      .selectFrom('schema_history')
      .select('name')
      .where('name', '=', ctx.latestMigration)
      .executeTakeFirst();
    migrations = row !== undefined;
  } catch {
    database = false;
  }
  const worker = isWorking();
  return { ready: database && migrations && worker !== false, checks: { database, migrations, worker } };
}
