import type { Context } from '../context.ts';

export type Readiness = { ready: boolean; checks: { database: boolean; migrations: boolean; worker: boolean | null } };

/** Whether this process can do its work: the database answers, is migrated, and the worker (null: elsewhere) runs. */
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
