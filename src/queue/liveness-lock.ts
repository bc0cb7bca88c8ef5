/**
 * The lock that says "this worker lives", on a connection of its own, and the watch over jobs that nobody does: those of
 * workers without the lock, which a session loses with its process, whatever kills it; and those of our own that the
 * queue gave us over a connection that broke before we heard of them.
 */

import pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import { createConsecutiveCounter } from './consecutive-counter.ts';

export type LivenessLock = {
  /** From now on this worker lives. A lock that cannot be had just now is taken as soon as the database is back. */
  hold(workerId: string): Promise<void>;
  close(): Promise<void>;
};

export type LivenessLockOptions = {
  connection: pg.ClientConfig;
  log: Log;
  /** Whether this process is at work on the queue's job of that id, or about to be. */
  hasJob(jobId: string): boolean;
  /** Whether a worker without the lock is known to have ended, so that nobody waits until it is missed. */
  hasEnded(workerId: string): boolean;
  lookEveryMs?: number;
};

/** Two-part advisory locks: this number first, so that no other lock of ours is mistaken for a worker. */
const LIVENESS_LOCK_CLASS = 736_194;
const LOOK_EVERY_MS = 2_000;
/** In a row, over one connection: a worker that has just started, or lost its own, is back long before the third. */
const LOOKS_UNTIL_GONE = 3;
/** Far below the time after which a worker without a lock is taken for gone. */
const RECONNECT_AFTER_MS = 500;
/** A connection that says nothing for so long is given up. */
const ANSWER_LIMIT_MS = 5_000;

// Shared: a session of ours that the database has not missed yet must not keep us from the lock.
const TAKE = `select pg_advisory_lock_shared(${LIVENESS_LOCK_CLASS}, ('x' || substr(md5($1), 1, 8))::bit(32)::int)`;

/** Workers that have jobs or queues locked without holding the lock of the living. */
const FIND_THE_GONE = `
  with holding as (
    select locked_by as worker from graphile_worker._private_jobs where locked_by is not null
    union
    select locked_by from graphile_worker._private_job_queues where locked_by is not null
  )
  select h.worker as name
  from holding h
  where not exists (
    select from pg_locks l
    where l.locktype = 'advisory'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${LIVENESS_LOCK_CLASS}
      and l.objid = (('x' || substr(md5(h.worker), 1, 8))::bit(32)::int::bigint & 4294967295)::oid
      and l.granted
  )`;
const FIND_MINE = 'select id::text as name from graphile_worker._private_jobs where locked_by = $1';
const FREE_MINE = `
  update graphile_worker._private_jobs set locked_by = null, locked_at = null
  where id = any($1::bigint[]) and locked_by = $2`;

/** Connects, so that the lock can be taken before the first job, and watches until closed. */
export async function openLivenessLock(options: LivenessLockOptions): Promise<LivenessLock> {
  const { connection, log, hasJob, hasEnded, lookEveryMs = LOOK_EVERY_MS } = options;
  let workerId: string | null = null;
  let isHeld = false;
  let closed = false;
  let rest = new AbortController();
  const gone = createConsecutiveCounter(LOOKS_UNTIL_GONE);
  const strays = createConsecutiveCounter(LOOKS_UNTIL_GONE);
  // Null while it connects: a connection that is given up on the way ends as well.
  let client: pg.Client | null = null;
  client = await connect();

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({ ...connection, query_timeout: ANSWER_LIMIT_MS });
    next.on('error', () => {});
    next.on('end', () => drop(next));
    await next.connect();
    isHeld = false;
    // The others may have lost theirs together with ours, and get as long to come back.
    gone.reset();
    return next;
  }
  /** Another worker would soon take our jobs: the watch goes on at once, over another connection. */
  function drop(lost: pg.Client | null): void {
    if (client !== lost) return;
    client = null;
    void lost?.end().catch(() => {});
    rest.abort();
  }
  async function take(): Promise<void> {
    if (!client || !workerId || isHeld) return;
    isHeld = true;
    await client.query(TAKE, [workerId]);
  }

  async function look(): Promise<void> {
    client ??= await connect();
    const mine = client;
    const find = async (sql: string, values: unknown[] = []) =>
      (await mine.query<{ name: string }>(sql, values)).rows.map(({ name }) => name);
    await take();
    const missing = await find(FIND_THE_GONE);
    const missed = new Set(gone.count(missing));
    const workers = missing.filter((worker) => missed.has(worker) || hasEnded(worker));
    if (workers.length > 0) {
      await mine.query('select graphile_worker.force_unlock_workers($1::text[])', [workers]);
      log.warn({ workers }, 'took over the jobs of workers that are gone');
    }
    if (!workerId) return;
    const jobs = strays.count((await find(FIND_MINE, [workerId])).filter((id) => !hasJob(id)));
    if (jobs.length === 0) return;
    await mine.query(FREE_MINE, [jobs, workerId]);
    log.warn({ jobs }, 'gave back jobs that had been handed to this worker without its knowledge');
  }
  async function watch(): Promise<void> {
    while (!closed) {
      const seen = await look().then(
        () => true,
        (error) => {
          if (!closed) log.warn({ code: errorLabel(error) }, 'the worker watchdog failed');
          drop(client);
          return false;
        },
      );
      if (closed) return;
      rest = new AbortController();
      await pause(seen ? lookEveryMs : RECONNECT_AFTER_MS, rest.signal);
    }
  }
  const watching = watch();
  return {
    async hold(id) {
      workerId = id;
      const mine = client;
      await take().catch(() => drop(mine));
    },
    async close() {
      closed = true;
      rest.abort();
      // Twice: it breaks off the look under way, which may still come by a connection of its own.
      await client?.end().catch(() => {});
      await watching;
      await client?.end().catch(() => {});
    },
  };
}
