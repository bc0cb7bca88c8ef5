/**
 * A lock with one holder at a time across all servers. It is a session advisory lock and ends with its connection, so a
 * killed holder does not block the others. No transaction is open while it is held, so calls to vendors are allowed.
 */
import { errorCodeOf, errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { createCall, type Database } from './database.ts';
import { DatabaseClient, restrictedSession, type TimedStatement } from './session.ts';

/** The lease did not become free within the allowed time. */
export class LeaseTimeout extends Error {
  override readonly name = 'LeaseTimeout';
}

/**
 * A lease while it is held. `call` uses the connection that holds it: after that connection is lost, when another server may
 * hold the lease, it throws and writes nothing.
 */
export type HeldLease = Pick<Database, 'call'>;

export type Lease = {
  /** Runs the work while it holds the lease, and returns its result. Throws a `LeaseTimeout` after waiting for `waitMs`. */
  run<T>(work: (held: HeldLease) => Promise<T>): Promise<T>;
};
export type LeaseOptions = { url: string; name: string; waitMs: number; log: Log };

/** PostgreSQL's "lock not available": `lock_timeout` has ended the wait. */
const LOCK_TIMEOUT = '55P03';

/** PostgreSQL's own end of the wait arrives first. */
const ANSWER_GRACE_MS = 1_500;

/** The callers of one process wait in line here, so that a process uses at most one connection for the lease. */
export function createLease({ url, name, waitMs, log }: LeaseOptions): Lease {
  let last: Promise<unknown> = Promise.resolve();

  async function runLocked<T>(work: (held: HeldLease) => Promise<T>, until: number): Promise<T> {
    const client = new DatabaseClient(restrictedSession(url, 'rendio-lease'));
    client.on('error', (error) => log.warn({ code: errorLabel(error) }, 'lease connection failed'));
    await client.connect();
    try {
      await takeLock(client, until - performance.now());
      return await work({ call: createCall((text, values) => client.query(text, values)) });
    } finally {
      await client.end().catch(() => {});
    }
  }

  async function takeLock(client: DatabaseClient, remainingMs: number): Promise<void> {
    const limitMs = Math.max(1, Math.floor(remainingMs));
    await client.query(`set lock_timeout = ${limitMs}`);
    await client.query('set statement_timeout = 0');
    const text = 'select pg_advisory_lock(hashtextextended($1, 0))';
    // Waits for its lock, and so for longer than any other statement.
    const wait: TimedStatement = { text, values: [name], query_timeout: limitMs + ANSWER_GRACE_MS };
    await client.query(wait).catch((error) => {
      throw errorCodeOf(error) === LOCK_TIMEOUT ? new LeaseTimeout(name, { cause: error }) : error;
    });
    // The work's own statements have the usual limits.
    await client.query('reset lock_timeout');
    await client.query('reset statement_timeout');
  }

  /** Rejects if the call before takes longer than `waitMs`. */
  function waitInLine(before: Promise<unknown>): Promise<void> {
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
      const turn = waitInLine(before).then(() => runLocked(work, until));
      // A call that gives up waiting must not let later calls start while an earlier one still runs.
      last = Promise.allSettled([before, turn]);
      return turn;
    },
  };
}
