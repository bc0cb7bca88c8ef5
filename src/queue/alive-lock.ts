/**
 * The lock that says "this worker lives", on a connection of its own, and the watch over those who hold none: their jobs
 * are unlocked. A session's lock ends with its process, whatever kills it.
 */
import pg from 'pg';
import type { Log } from '../kernel/log.ts';
import { codeOf } from './code-of.ts';

export type AliveLock = {
  /** From now on this worker lives. A lock that cannot be had just now is taken as soon as the database is back. */
  hold(workerId: string): Promise<void>;
  close(): Promise<void>;
};

export type AliveLockOptions = { connection: pg.ClientConfig; log: Log; lookEveryMs?: number };

/** Two-part advisory locks: this number first, so that no other lock of ours is mistaken for a worker. */
const ALIVE_LOCK_CLASS = 736_194;
const LOOK_EVERY_MS = 2_000;
/** In a row, over one connection: a worker that has just started, or lost its own, is back long before the third. */
const LOOKS_UNTIL_GONE = 3;
/** Far below the time after which a worker without a lock is taken for gone. */
const RECONNECT_AFTER_MS = 500;
/** A connection that says nothing for so long is given up. */
const ANSWER_LIMIT_MS = 5_000;

// Shared: a session of ours that the database has not missed yet must not keep us from the lock.
const TAKE = `select pg_advisory_lock_shared(${ALIVE_LOCK_CLASS}, ('x' || substr(md5($1), 1, 8))::bit(32)::int)`;

/** Workers that have jobs or queues locked without holding the lock of the living. */
const FIND_THE_MISSING = `
  with holding as (
    select locked_by as worker from graphile_worker._private_jobs where locked_by is not null
    union
    select locked_by from graphile_worker._private_job_queues where locked_by is not null
  )
  select h.worker
  from holding h
  where not exists (
    select from pg_locks l
    where l.locktype = 'advisory'
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${ALIVE_LOCK_CLASS}
      and l.objid = (('x' || substr(md5(h.worker), 1, 8))::bit(32)::int::bigint & 4294967295)::oid
      and l.granted
  )`;

/** Connects, so that the lock can be taken before the first job, and watches until closed. */
export async function openAliveLock(options: AliveLockOptions): Promise<AliveLock> {
  const { connection, log, lookEveryMs = LOOK_EVERY_MS } = options;
  let workerId: string | null = null;
  let isHeld = false;
  let closed = false;
  let wake = () => {};
  let looksMissing = new Map<string, number>();
  let client: pg.Client | null = await connect();

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({ ...connection, query_timeout: ANSWER_LIMIT_MS });
    next.on('error', () => {});
    next.on('end', () => drop(next));
    await next.connect();
    isHeld = false;
    // The others may have lost theirs together with ours, and get as long to come back.
    looksMissing = new Map();
    return next;
  }
  /** Another worker would soon take our jobs: the watch goes on at once, over another connection. */
  function drop(lost: pg.Client | null): void {
    if (client !== lost) return;
    client = null;
    void lost?.end().catch(() => {});
    wake();
  }
  async function take(): Promise<void> {
    if (!client || !workerId || isHeld) return;
    isHeld = true;
    await client.query(TAKE, [workerId]);
  }

  async function look(): Promise<void> {
    client ??= await connect();
    const mine = client;
    await take();
    const { rows } = await mine.query<{ worker: string }>(FIND_THE_MISSING);
    looksMissing = new Map(rows.map(({ worker }) => [worker, (looksMissing.get(worker) ?? 0) + 1]));
    const gone = [...looksMissing].filter(([, looks]) => looks >= LOOKS_UNTIL_GONE).map(([worker]) => worker);
    if (gone.length === 0) return;
    await mine.query('select graphile_worker.force_unlock_workers($1::text[])', [gone]);
    log.warn({ workers: gone }, 'took over the jobs of workers that are gone');
  }
  async function watch(): Promise<void> {
    while (!closed) {
      const seen = await look().then(
        () => true,
        (error) => {
          if (!closed) log.warn({ code: codeOf(error) }, 'the worker watchdog failed');
          drop(client);
          return false;
        },
      );
      if (!closed) await pause(seen ? lookEveryMs : RECONNECT_AFTER_MS);
    }
  }
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
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
      wake();
      // Twice: it breaks off the look under way, which may still come by a connection of its own.
      await client?.end().catch(() => {});
      await watching;
      await client?.end().catch(() => {});
    },
  };
}
