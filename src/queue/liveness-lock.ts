/**
 * The advisory lock that shows that a worker is alive, on a connection of its own: a session loses it with its process,
 * whatever kills it. A loop on the same connection recovers the jobs of workers without the lock.
 */

import { DatabaseClient, type SessionConfig } from '../db/session.ts';
import { errorLabel } from '../kernel/error-code.ts';
import { sleep } from '../kernel/sleep.ts';
import { createJobRecovery, type JobRecoveryOptions } from './job-recovery.ts';
import { TAKE_LOCK } from './liveness-sql.ts';

export type LivenessLock = {
  /** Takes the lock for this worker. If that fails, the loop takes it as soon as the database is back. */
  hold(workerId: string): Promise<void>;
  close(): Promise<void>;
};

export type LivenessLockOptions = JobRecoveryOptions & { connection: SessionConfig; checkEveryMs?: number };

const CHECK_EVERY_MS = 2_000;
/** Far below the time after which a worker without a lock counts as gone. */
const RECONNECT_AFTER_MS = 500;
/** A connection without an answer for this long is given up. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Connects, so that the lock can be taken before the first job, and checks until closed. */
export async function openLivenessLock(options: LivenessLockOptions): Promise<LivenessLock> {
  const { connection, log, checkEveryMs = CHECK_EVERY_MS } = options;
  const recovery = createJobRecovery(options);
  let workerId: string | null = null;
  let isLockTaken = false;
  let closed = false;
  let waiting = new AbortController();
  // Null while connecting: a connection that fails before it is open emits `end` as well.
  let client: DatabaseClient | null = null;
  client = await connect();

  async function connect(): Promise<DatabaseClient> {
    const next = createClient(connection, drop);
    await next.connect();
    isLockTaken = false;
    // The other workers may have lost their connections too; give them the same time to reconnect.
    recovery.forgetMissingWorkers();
    return next;
  }
  /** Other workers would soon take over this worker's jobs, so the next check starts at once, on a new connection. */
  function drop(lost: DatabaseClient | null): void {
    if (client !== lost) return;
    client = null;
    void lost?.end().catch(() => {});
    waiting.abort();
  }
  async function takeLock(): Promise<void> {
    if (!client || !workerId || isLockTaken) return;
    isLockTaken = true;
    await client.query(TAKE_LOCK, [workerId]);
  }

  async function check(): Promise<void> {
    client ??= await connect();
    const current = client;
    await takeLock();
    await recovery.unlockMissingWorkers(current);
    if (workerId) await recovery.releaseUnknownJobs(current, workerId);
  }
  async function checkUntilClosed(): Promise<void> {
    while (!closed) {
      let waitMs = checkEveryMs;
      await check().catch((error) => {
        if (!closed) log.warn({ code: errorLabel(error) }, 'liveness check failed');
        drop(client);
        waitMs = RECONNECT_AFTER_MS;
      });
      if (closed) return;
      waiting = new AbortController();
      await sleep(waitMs, waiting.signal);
    }
  }
  const checking = checkUntilClosed();
  return {
    async hold(id) {
      workerId = id;
      const current = client;
      await takeLock().catch(() => drop(current));
    },
    async close() {
      closed = true;
      waiting.abort();
      // Twice: the first ends the running check, which may still open a connection of its own.
      await client?.end().catch(() => {});
      await checking;
      await client?.end().catch(() => {});
    },
  };
}

function createClient(connection: SessionConfig, onEnd: (client: DatabaseClient) => void): DatabaseClient {
  const client = new DatabaseClient({ ...connection, query_timeout: ANSWER_TIMEOUT_MS });
  client.on('end', () => onEnd(client));
  return client;
}
