/** Reads that may take long, all of one moment, as the restricted role. */
import type pg from 'pg';
import { createSemaphore } from '../kernel/semaphore.ts';
import { DatabaseClient, restrictedSession, type TimedStatement } from './session.ts';
import { watchSession } from './watch-session.ts';

export type Snapshot = {
  /** Two at once take half the time, where the database has two processors for them; more wait. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
};

const SESSIONS = 2;
/** A statement has no limit of its own: a further session watches whether the database still answers. */
const UNLIMITED_MS = 2_147_483_647;
/**
 * Each sort and each hash table of a statement holds at most this much, and puts the rest into temporary files. Compiling a
 * statement for one execution takes longer than it saves.
 */
const SETTINGS = `set statement_timeout = 0; set work_mem = '64MB'; set jit = off`;
const BEGIN = 'begin transaction isolation level repeatable read read only';

/** Runs `work` with sessions that all see the database as it is at the beginning, and write nothing. `url`: unpooled. */
export async function readSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const clients = Array.from({ length: SESSIONS }, () => new DatabaseClient(restrictedSession(url, 'rendio-snapshot')));
  const ends: (() => Promise<void>)[] = [];
  try {
    for (const client of clients) {
      await client.connect();
      const watch = watchSession(client, url);
      ends.push(async () => {
        await watch.stop();
        await client.end().catch(() => {});
      });
    }
    await shareSnapshot(clients);
    const inLine = createSemaphore(SESSIONS);
    const free = [...clients];
    return await work({
      query: <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
        inLine(async () => {
          const client = free.pop();
          if (!client) throw new Error('more statements than sessions');
          const statement: TimedStatement = { text, values, query_timeout: UNLIMITED_MS };
          const { rows } = await client.query<Row>(statement).finally(() => free.push(client));
          return rows;
        }),
    });
  } finally {
    await Promise.all(ends.map((end) => end()));
  }
}

async function shareSnapshot([first, ...others]: DatabaseClient[]): Promise<void> {
  if (!first) return;
  await first.query(SETTINGS);
  await first.query(BEGIN);
  const { rows } = await first.query<{ id: string }>('select pg_export_snapshot() as id');
  for (const client of others) {
    await client.query(SETTINGS);
    await client.query(BEGIN);
    await client.query(`set transaction snapshot '${rows[0]?.id}'`);
  }
}
