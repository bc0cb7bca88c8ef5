/** Connections to PostgreSQL as the restricted role: may read every table, writes only through procedures. */

import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { withoutLogFields } from '../kernel/log-scope.ts';
import { within } from '../kernel/sleep.ts';
import { DatabaseClient, restrictedSession } from './session.ts';

/** By then, every client has its answer or has disconnected. */
const CLOSE_GRACE_MS = 1_000;

export type PoolOptions = {
  url: string;
  log: Log;
  applicationName?: string;
  connectionsMax?: number;
  /** After this time without an answer, a statement is given up and its connection thrown away. */
  answerTimeoutMs?: number;
};

/** A pool whose lost idle connections are logged and replaced, never fatal. */
export function createPool(options: PoolOptions): pg.Pool {
  const { url, log, applicationName = 'rendio', connectionsMax = 10, answerTimeoutMs } = options;
  const session = {
    ...restrictedSession(url, applicationName, answerTimeoutMs),
    onSilence() {
      log.warn({ application: applicationName }, 'no answer from the database; its connections are replaced');
      discardIdle(pool);
    },
  };
  class PooledClient extends DatabaseClient {
    constructor() {
      super(session);
    }
  }
  const pool = new pg.Pool({ ...session, max: connectionsMax, Client: PooledClient });
  // A connection outlives the request that opened it.
  pool.on('error', (error) =>
    withoutLogFields(() => log.warn({ code: errorLabel(error) }, 'idle database connection lost')),
  );
  // The queue's library wants to see a listener; the client itself already has one for its errors.
  pool.on('connect', () => {});
  return pool;
}

/** What was opened before the silence may be as dead: a new connection has to show that the database answers. */
function discardIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left -= 1) pool.connect((_error, _client, release) => release(true));
}

/** Ends a pool. Queries that still run after `graceMs` end with the process. */
export async function closePool(pool: pg.Pool, graceMs = CLOSE_GRACE_MS): Promise<void> {
  await within(graceMs, pool.end());
}
