/**
 * Runs background jobs from the queue in PostgreSQL. A worker that is killed leaves its jobs locked for hours by the
 * library's own rules; here each worker also holds a session advisory lock, and every living worker frees the jobs of
 * those whose lock is gone.
 */
import { EventEmitter } from 'node:events';
import type { Runner, TaskList, WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { Log } from '../kernel/log.ts';

export type TaskHandler = (payload: unknown, help: { signal: AbortSignal; attempt: number }) => Promise<void>;
export type Tasks = Record<string, TaskHandler>;

export type WorkerOptions = {
  pool: pg.Pool;
  /** Unpooled connection settings for the lock that says "I am alive". */
  connection: pg.ClientConfig;
  tasks: Tasks;
  /** graphile-worker's crontab text. */
  crontab: string;
  log: Log;
  concurrency?: number;
};

export type Worker = {
  /** True while jobs are being taken. */
  readonly isWorking: boolean;
  /** Takes no more jobs, waits for the running ones up to `graceMs`, hands the rest back to the queue. */
  stop(graceMs: number): Promise<void>;
};

type Run = { finished: Promise<void>; stop(graceMs: number): Promise<void> };

/** Two-part advisory locks: this number first, so that no other lock of ours is mistaken for a worker. */
const ALIVE_LOCK_CLASS = 736_194;
const WATCHDOG_EVERY_MS = 2_000;
/** Delayed jobs (retries, the next status question) start at most this late. */
const POLL_EVERY_MS = 500;
/** After the library's worker gave up: soon, but not in a tight loop while the database is away. */
const RESTART_AFTER_MS = 1_000;

const LOCK_KEY = `('x' || substr(md5($1), 1, 8))::bit(32)::int`;

/** Workers that have jobs or queues locked without holding the lock of the living. */
async function findTheDead(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ worker: string }>(`
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
    )`);
  return rows.map((row) => row.worker);
}

/** Starts the worker and starts it anew whenever it ends by itself, as the library's does when it loses the database. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  let current: Run | null = await startRun(options);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function watch(run: Run): void {
    run.finished
      .catch(() => {})
      .finally(async () => {
        current = null;
        await run.stop(0);
        if (!stopped) restart();
      });
  }
  function restart(): void {
    timer = setTimeout(() => {
      startRun(options).then(
        (run) => {
          current = run;
          if (stopped) run.stop(0);
          else watch(run);
        },
        (error) => {
          options.log.error({ code: codeOf(error) }, 'the worker could not start; trying again');
          if (!stopped) restart();
        },
      );
    }, RESTART_AFTER_MS);
  }

  watch(current);
  return {
    get isWorking() {
      return current !== null && !stopped;
    },
    async stop(graceMs) {
      stopped = true;
      clearTimeout(timer);
      await current?.stop(graceMs);
    },
  };
}

async function startRun(options: WorkerOptions): Promise<Run> {
  const { pool, connection, tasks, crontab, log, concurrency = 16 } = options;
  // Imported here, since the library reads the home folder for its configuration as it loads.
  const { Logger, run } = await import('graphile-worker');
  const stopping = new AbortController();

  const events: WorkerEvents = new EventEmitter();
  const poolId = new Promise<string>((resolve) => {
    events.once('pool:create', ({ workerPool }) => resolve(workerPool.id));
  });

  const taskList: TaskList = Object.fromEntries(
    Object.entries(tasks).map(([name, handle]) => [
      name,
      async (payload, helpers) => {
        const signal = helpers.abortSignal ? AbortSignal.any([helpers.abortSignal, stopping.signal]) : stopping.signal;
        try {
          await handle(payload, { signal, attempt: helpers.job.attempts });
        } catch (error) {
          log.warn({ task: name, job: payload, code: codeOf(error) }, 'a task failed and will be tried again');
          // The queue keeps and prints what it catches: a code says enough, and never carries a value.
          throw new Error(codeOf(error));
        }
      },
    ]),
  );

  const alive = await holdAliveLock(connection, log);
  let runner: Runner;
  try {
    runner = await run({
      pgPool: pool,
      concurrency,
      pollInterval: POLL_EVERY_MS,
      noHandleSignals: true,
      noPreparedStatements: true,
      taskList,
      crontab,
      events,
      logger: new Logger(() => (level, message) => {
        // Its messages name tasks and ids, never payloads.
        if (level === 'error') log.error({ queue: message }, 'queue');
        else if (level === 'warning') log.warn({ queue: message }, 'queue');
        else log.debug({ queue: message }, 'queue');
      }),
    });
    await alive.announce(await poolId);
  } catch (error) {
    await alive.close();
    throw error;
  }
  const finished = runner.promise.then(() => {});
  finished.catch(() => {});

  return {
    finished,
    async stop(graceMs) {
      const ended = finished.catch(() => {});
      const gentle = runner.stop().catch(() => {});
      await Promise.race([Promise.all([gentle, ended]), timeout(graceMs / 2)]);
      stopping.abort(new Error('the worker is shutting down'));
      await Promise.race([ended, timeout(graceMs / 2)]);
      await alive.close();
    },
  };
}

/** What may be said of an error in a log: its code or its kind. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && error.code ? String(error.code) : error.name;
}

/** An unref'd wait: it bounds another wait and must not keep the process. */
function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

type AliveLock = { announce(poolId: string): Promise<void>; close(): Promise<void> };

/** Holds the lock of the living on a connection of its own, renews it when that is lost, and runs the watchdog on it. */
async function holdAliveLock(connection: pg.ClientConfig, log: Log): Promise<AliveLock> {
  let client: pg.Client | null = null;
  let id: string | null = null;
  let closed = false;
  let busy: Promise<void> = Promise.resolve();
  // A worker that has just started, or whose lock's connection is being renewed, lacks the lock for a moment: only one
  // that lacks it at two looks in a row is gone.
  let suspects = new Set<string>();

  async function tick(): Promise<void> {
    if (closed) return;
    if (!client) {
      const next = new pg.Client(connection);
      next.on('error', () => {});
      next.on('end', () => {
        if (client === next) client = null;
      });
      await next.connect();
      if (id) await next.query(`select pg_advisory_lock(${ALIVE_LOCK_CLASS}, ${LOCK_KEY})`, [id]);
      client = next;
    }
    const missing = await findTheDead(client);
    const dead = missing.filter((worker) => suspects.has(worker));
    suspects = new Set(missing);
    if (dead.length === 0) return;
    await client.query('select graphile_worker.force_unlock_workers($1::text[])', [dead]);
    log.warn({ workers: dead }, 'took over the jobs of workers that are gone');
  }

  const timer = setInterval(() => {
    busy = busy.then(tick).catch((error) => log.warn({ code: codeOf(error) }, 'the worker watchdog failed'));
  }, WATCHDOG_EVERY_MS);

  return {
    async announce(poolId) {
      await busy;
      id = poolId;
      await client?.query(`select pg_advisory_lock(${ALIVE_LOCK_CLASS}, ${LOCK_KEY})`, [id]);
      busy = tick();
      await busy;
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await busy.catch(() => {});
      await client?.end().catch(() => {});
    },
  };
}
