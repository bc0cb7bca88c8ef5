/** Row locks that a test holds, and the calls that wait for them. */
import type { TestApp } from './app.ts';

export type Lock = AsyncDisposable & {
  /** The database's process that holds it. */
  pid: number;
  release(): Promise<void>;
};

/** Holds what the statement locks until it is released, also by a test that fails. */
export async function lock(app: Pick<TestApp, 'owner'>, sql: string, values: unknown[]): Promise<Lock> {
  const holder = await app.owner.connect();
  let pid = 0;
  try {
    await holder.query('begin');
    pid = (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    await holder.query(sql, values);
  } catch (error) {
    holder.release(true);
    throw error;
  }
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await holder.query('commit');
    holder.release();
  };
  return { pid, release, [Symbol.asyncDispose]: release };
}

/** How many sessions of the test's database wait for a lock. */
export async function waitingForLocks(app: Pick<TestApp, 'owner'>): Promise<number> {
  const sql = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await app.owner.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
}
