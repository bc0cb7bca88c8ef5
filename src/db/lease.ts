/**
 * One holder at a time across all servers, by a session advisory lock: it ends with its connection, so a killed holder
 * blocks nobody. No transaction is open while it is held, so foreign calls are allowed under it.
 */
import pg from 'pg';
import { errorCodeOf, errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { restrictedConnection } from './pool.ts';

/** The wait for a turn was longer than allowed. */
export class LeaseTimeout extends Error {
  override readonly name = 'LeaseTimeout';
}

export type Lease = {
  /** Does the work alone, and answers as it does. Throws a `LeaseTimeout` when its turn has not come after `waitMs`. */
  run<T>(work: () => Promise<T>): Promise<T>;
};
export type LeaseOptions = { url: string; name: string; waitMs: number; log: Log };

/** PostgreSQL's "lock not available", which is how lock_timeout ends a wait. */
const LOCK_TIMEOUT = '55P03';

/** Callers of one process wait in line here, so each process holds at most one connection for it. */
export function createLease({ url, name, waitMs, log }: LeaseOptions): Lease {
  let last: Promise<unknown> = Promise.resolve();

  async function locked<T>(work: () => Promise<T>, until: number): Promise<T> {
    const client = new pg.Client(restrictedConnection(url, 'rendio-lease'));
    client.on('error', (error) => log.warn({ code: errorLabel(error) }, 'a lease connection failed'));
    await client.connect();
    try {
      await take(client, until - performance.now());
      return await work();
    } finally {
      await client.end().catch(() => {});
    }
  }

  async function take(client: pg.Client, remainingMs: number): Promise<void> {
    await client.query(`set lock_timeout = ${Math.max(1, Math.floor(remainingMs))}`);
    await client.query('set statement_timeout = 0');
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]).catch((error) => {
      throw errorCodeOf(error) === LOCK_TIMEOUT ? new LeaseTimeout(name, { cause: error }) : error;
    });
  }

  /** The turn before may go on for longer than we may wait for it. */
  function inLine(before: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new LeaseTimeout(name)), waitMs);
      before.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  return {
    run(work) {
      const until = performance.now() + waitMs;
      const before = last;
      const turn = inLine(before).then(() => locked(work, until));
      // Who gives up waiting does not let those behind it past the one that is at work.
      last = Promise.allSettled([before, turn]);
      return turn;
    },
  };
}
