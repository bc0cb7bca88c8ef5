/** The queue's own migrations, which its library applies and commits. */
import pg from 'pg';
import { DatabaseClient, ownerSession } from './session.ts';

/** Its migrations take milliseconds on a queue of any usual length. */
const ANSWER_TIMEOUT_MS = 60_000;

/** True if they changed anything. Throws PostgreSQL's 55P03 if another session holds a lock for longer than `lockTimeoutMs`. */
export async function migrateQueue(client: pg.Client, url: string, lockTimeoutMs: number): Promise<boolean> {
  const revision = async (): Promise<number> => {
    const { rows } = await client.query<{ exists: boolean }>(
      `select to_regclass('graphile_worker.migrations') is not null as exists`,
    );
    if (!rows[0]?.exists) return 0;
    const { rows: revisions } = await client.query<{ id: number }>(
      'select coalesce(max(id), 0) as id from graphile_worker.migrations',
    );
    return revisions[0]?.id ?? 0;
  };
  const before = await revision();
  const { Logger, runMigrations } = await import('graphile-worker');
  await usingPool(url, lockTimeoutMs, (pgPool) => runMigrations({ pgPool, logger: new Logger(() => () => {}) }));
  return (await revision()) !== before;
}

/**
 * Passes a pool to `work` and waits until its sessions have ended. The library's own pool would outlive the call, and its last
 * session, to which nothing listens any more, would end the process if the connection were lost.
 */
async function usingPool(url: string, lockTimeoutMs: number, work: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const session = { ...ownerSession(url, 'rendio-migrate', ANSWER_TIMEOUT_MS), lock_timeout: lockTimeoutMs };
  class PooledClient extends DatabaseClient {
    constructor() {
      super(session);
    }
  }
  const pool = new pg.Pool({ ...session, Client: PooledClient });
  const ends: Promise<void>[] = [];
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    ends.push(new Promise((resolve) => client.once('end', resolve)));
  });
  try {
    await work(pool);
  } finally {
    await pool.end();
    await Promise.all(ends);
  }
}
