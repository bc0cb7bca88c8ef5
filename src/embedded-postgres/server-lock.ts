import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { SERVER_LOCK } from './cluster-state.ts';

/** This server's lock in its PostgreSQL. After `stopWatching`, a lost lock is not taken again. */
export type ServerLock = { stopWatching(): void };

/** A starting server that checks the cluster's state holds the lock for milliseconds; no other process may hold it. */
const LOCK_TIMEOUT_MS = 5_000;

/** After the crash of a backend, PostgreSQL ends all sessions and accepts new ones within a second. */
const RETRY_MS = 250;

/**
 * Connects to database `postgres` at `url`, takes the server's lock and runs `prepare`. Until `stopWatching`, takes the lock
 * again whenever the session is lost. Rejects if the first attempt fails.
 */
export async function holdServerLock(
  url: string,
  log: Log,
  prepare: (client: pg.Client) => Promise<void>,
): Promise<ServerLock> {
  let isOver = false;
  const regain = async () => {
    while (!isOver) {
      await delay(RETRY_MS, undefined, { ref: false });
      try {
        if (!isOver) return await takeLock(url, onLost);
      } catch (error) {
        log.debug({ code: errorLabel(error) }, 'server lock not regained yet');
      }
    }
  };
  const onLost = () => {
    if (isOver) return;
    log.warn({}, 'server lock lost, taking it again');
    void regain();
  };
  const client = await takeLock(url, onLost);
  await prepare(client);
  return {
    stopWatching: () => {
      isOver = true;
    },
  };
}

async function takeLock(url: string, onLost: () => void): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: LOCK_TIMEOUT_MS, keepAlive: true });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query('select pg_advisory_lock($1)', [SERVER_LOCK]);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  client.once('end', onLost);
  return client;
}
