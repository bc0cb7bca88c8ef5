/** Reads that may take long, all of one moment, as the restricted role. */
import type pg from 'pg';
import { DatabaseClient, restrictedSession, type TimedStatement } from './session.ts';
import { watchSession } from './watch-session.ts';

export type Snapshot = {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
};

/** A statement has no limit of its own: a second session watches whether the database still answers. */
const UNLIMITED_MS = 2_147_483_647;
/**
 * Each sort and each hash table of a statement holds at most this much, and puts the rest into temporary files. Compiling a
 * statement for one execution takes longer than it saves.
 */
const SETTINGS = `set statement_timeout = 0; set work_mem = '64MB'; set jit = off`;

/** Runs `work` in one read-only transaction, which sees the database as it is at its first statement. `url`: unpooled. */
export async function readSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const client = new DatabaseClient(restrictedSession(url, 'rendio-snapshot'));
  await client.connect();
  const watch = watchSession(client, url);
  try {
    await client.query(SETTINGS);
    await client.query('begin transaction isolation level repeatable read read only');
    return await work({
      async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
        const statement: TimedStatement = { text, values, query_timeout: UNLIMITED_MS };
        return (await client.query<Row>(statement)).rows;
      },
    });
  } finally {
    await watch.stop();
    await client.end().catch(() => {});
  }
}
