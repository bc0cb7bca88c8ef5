/** Connections to PostgreSQL as the restricted role: may read every table, writes only through procedures. */

import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { within } from '../kernel/sleep.ts';

export const SERVER_ROLE = 'rendio_server';

/** A normal statement takes milliseconds; one that takes this long is blocked. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** Long enough for a database that is restarting, short enough for a user who waits. */
const CONNECT_TIMEOUT_MS = 5_000;
/** By then, every client has its answer or has disconnected. */
const CLOSE_GRACE_MS = 1_000;
/** Both ends probe a silent connection: otherwise the session of a machine that lost power keeps its locks for hours. */
const KEEPALIVE_SECONDS = 10;
const KEEPALIVE = { tcp_keepalives_idle: KEEPALIVE_SECONDS, tcp_keepalives_interval: 3, tcp_keepalives_count: 3 };

/** bigint columns are counters and sizes far below 2^53. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Connection settings that act as the server's role from the first statement on. */
export function restrictedConnection(url: string, applicationName: string): pg.ClientConfig {
  const target = new URL(url);
  const given = target.searchParams.get('options');
  target.searchParams.delete('options');
  const settings = { role: SERVER_ROLE, statement_timeout: STATEMENT_TIMEOUT_MS, timezone: 'UTC', ...KEEPALIVE };
  const ours = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
  return {
    connectionString: target.href,
    options: given ? `${given} ${ours}` : ours,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_SECONDS * 1_000,
    types,
  };
}

export type PoolOptions = { url: string; log: Log; applicationName?: string; connectionsMax?: number };

/** A pool whose lost idle connections are logged and replaced, never fatal. */
export function createPool({ url, log, applicationName = 'rendio', connectionsMax = 10 }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({ ...restrictedConnection(url, applicationName), max: connectionsMax });
  pool.on('error', (error) => log.warn({ code: errorLabel(error) }, 'idle database connection lost'));
  // A client that fails while in use emits an error too. Its query rejects as well; this only keeps the process running.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Ends a pool. Queries that still run after `graceMs` end with the process. */
export async function closePool(pool: pg.Pool, graceMs = CLOSE_GRACE_MS): Promise<void> {
  await within(graceMs, pool.end());
}
