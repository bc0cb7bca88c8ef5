import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { SERVER_LOCK } from './cluster-state.ts';

/** Our lock over the running PostgreSQL. After `letGo` its loss is expected. */
export type Guard = { letGo(): void };

/** A newcomer that looks who is there holds the lock for milliseconds; nobody else may hold it for so long. */
const LOCK_LIMIT_MS = 5_000;

/** A crashed backend makes PostgreSQL drop every session, and take new ones within a second. */
const RETRY_MS = 250;

/**
 * Connects to database `postgres` at `url`, runs `prepare`, and holds the server's lock until `letGo`; takes it anew
 * whenever the session is lost. Rejects when the first attempt fails.
 */
export async function holdGuard(url: string, log: Log, prepare: (client: pg.Client) => Promise<void>): Promise<Guard> {
  let isOver = false;
  const regain = async () => {
    while (!isOver) {
      await delay(RETRY_MS, undefined, { ref: false });
      try {
        if (!isOver) return await take(url, lost);
      } catch (error) {
        log.debug({ code: errorLabel(error) }, 'The lock over PostgreSQL is not back yet');
      }
    }
  };
  const lost = () => {
    if (isOver) return;
    log.warn({}, 'The lock over PostgreSQL was lost; taking it again');
    void regain();
  };
  const client = await take(url, lost);
  await prepare(client);
  return {
    letGo: () => {
      isOver = true;
    },
  };
}

async function take(url: string, lost: () => void): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: LOCK_LIMIT_MS, keepAlive: true });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(`set lock_timeout = ${LOCK_LIMIT_MS}`);
    await client.query('select pg_advisory_lock($1)', [SERVER_LOCK]);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  client.once('end', lost);
  return client;
}
