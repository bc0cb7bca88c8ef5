import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type pg from 'pg';
import { createPool, restrictedConnection } from '../../src/db/pool.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { startWorker, type Tasks, type Worker } from '../../src/queue/worker.ts';
import { until } from '../media/until.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

/** A database with a queue, and the workers of this test on it. */
async function createQueue(t: TestContext) {
  const database = await createTestDatabase();
  const outage = await createOutage(database.url);
  const owner = ownerPool(database.url, 3);
  const workers: { worker: Worker; pool: pg.Pool }[] = [];
  t.after(async () => {
    await Promise.all(workers.map(({ worker }) => worker.stop(100)));
    await Promise.all(workers.map(({ pool }) => pool.end()));
    await owner.end();
    await outage[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  return {
    outage,
    owner,
    /** `isNear`: its connections do not go the way that can be cut. */
    async start(
      tasks: Tasks,
      { name = 'alive', checkEveryMs = 50, isNear = false, concurrency = 4 } = {},
    ): Promise<Worker> {
      const url = isNear ? database.url : outage.url;
      const pool = createPool({ url, log: silentLog, applicationName: 'queue', connectionsMax: 6 });
      const connection = restrictedConnection(url, name);
      const options = { pool, connection, tasks, crontab: '', log: silentLog, concurrency, checkEveryMs };
      const worker = await startWorker(options);
      workers.push({ worker, pool });
      return worker;
    },
    add: (task: string, payload: object = {}) => owner.query('select graphile_worker.add_job($1, $2)', [task, payload]),
    async jobs(): Promise<{ locked_by: string | null; attempts: number; last_error: string | null }[]> {
      const { rows } = await owner.query('select locked_by, attempts, last_error from graphile_worker._private_jobs');
      return rows;
    },
    /** The library's own wait after a failure is not what is tested here. */
    hasten: () => owner.query('update graphile_worker._private_jobs set run_at = now()'),
  };
}

/** A task that is begun and goes on until it is let go; it counts how often it was begun. */
function gate() {
  const opened = Promise.withResolvers<void>();
  const state = {
    begun: 0,
    open: () => opened.resolve(),
    task: async () => {
      state.begun += 1;
      await opened.promise;
    },
  };
  return state;
}

describe('the worker', () => {
  it('a task that ends while the database is away costs neither the process nor the task', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    const worker = await queue.start({ film: tasks.task });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    queue.outage.begin();
    tasks.open();
    await until(() => !worker.isWorking);
    queue.outage.end();
    await until(() => worker.isWorking);
    // Nobody wrote down that it had ended, so it is done once more.
    await until(() => tasks.begun === 2);
    await until(async () => (await queue.jobs()).length === 0);
  });

  it('a task that fails while the database is away does no more harm', async (t) => {
    const queue = await createQueue(t);
    let begun = 0;
    const { promise: away, resolve } = Promise.withResolvers<void>();
    await queue.start({
      async film() {
        begun += 1;
        if (begun > 1) return;
        await away;
        throw new Error('the database is away');
      },
    });
    await queue.add('film');
    await until(() => begun === 1);
    queue.outage.begin();
    resolve();
    queue.outage.end();
    await until(async () => (await queue.hasten()) && (await queue.jobs()).length === 0);
    assert.equal(begun, 2);
  });

  it('comes back after the database was away, even from its first moment on', async (t) => {
    const queue = await createQueue(t);
    const done = new Set<unknown>();
    await queue.start({
      async film(payload) {
        done.add(JSON.stringify(payload));
      },
    });
    for (let outages = 1; outages <= 3; outages += 1) {
      queue.outage.begin();
      queue.outage.end();
      await queue.add('film', { outages });
      await until(() => done.size === outages);
    }
  });

  it('keeps its jobs when another worker sees it without its lock, as long as it comes back', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    await queue.start({ film: tasks.task });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    const [before] = await queue.jobs();
    await queue.start({ film: tasks.task }, { name: 'watching', isNear: true, checkEveryMs: 1_500 });
    const nextLook = async () => {
      const last = await lastLook(queue.owner, 'watching');
      await until(async () => (await lastLook(queue.owner, 'watching')) !== last);
    };
    queue.outage.begin();
    await until(async () => (await held(queue.owner)) === 1);
    await nextLook();
    queue.outage.end();
    await until(async () => (await held(queue.owner)) === 2);
    await nextLook();
    assert.equal((await queue.jobs())[0]?.locked_by, before?.locked_by);
    assert.equal(tasks.begun, 1);
    tasks.open();
  });

  it('frees the jobs and the queues of one that is gone, and no others', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    await queue.start({ film: tasks.task });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    let freed = 0;
    await queue.start({
      async other() {
        freed += 1;
      },
    });
    const later = `run_at := now() + interval '1 hour'`;
    await queue.owner.query(`select graphile_worker.add_job('other', '{}', queue_name := 'line', ${later})`);
    await queue.owner.query(
      `update graphile_worker._private_job_queues set locked_by = 'pool-gone', locked_at = now()`,
    );
    await queue.owner.query(
      `update graphile_worker._private_jobs set locked_by = 'pool-gone', locked_at = now(), run_at = now()
       where locked_by is null`,
    );
    await until(() => freed === 1);
    assert.equal(tasks.begun, 1);
    tasks.open();
  });

  it('gives back a job that was handed to it over a connection that broke, and goes on with what it does', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    let other = 0;
    await queue.start({
      film: tasks.task,
      async other() {
        other += 1;
      },
    });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    await queue.owner.query(`select graphile_worker.add_job('other', '{}', run_at := now() + interval '1 hour')`);
    // As the database has it when the answer to "give me a job" is lost.
    await queue.owner.query(
      `update graphile_worker._private_jobs set run_at = now(), locked_at = now(),
         locked_by = (select locked_by from graphile_worker._private_jobs where locked_by is not null)
       where locked_by is null`,
    );
    await until(() => other === 1);
    assert.equal(tasks.begun, 1);
    tasks.open();
    await until(async () => (await queue.jobs()).length === 0);
    assert.equal(tasks.begun, 1);
  });

  it('leaves what it has fetched and finds no place for to another, and keeps what it does', async (t) => {
    const queue = await createQueue(t);
    const busy = gate();
    await queue.start({ film: busy.task }, { concurrency: 1 });
    await queue.add('film');
    await until(() => busy.begun === 1);
    await queue.add('film');
    const waiting = async () => (await queue.jobs()).filter(({ locked_by }) => locked_by !== null).length === 2;
    await until(waiting);
    const free = gate();
    await queue.start({ film: free.task }, { name: 'free' });
    await until(() => free.begun === 1);
    assert.equal(busy.begun, 1);
    busy.open();
    free.open();
    await until(async () => (await queue.jobs()).length === 0);
    assert.deepEqual([busy.begun, free.begun], [1, 1]);
  });

  it('when stopped, lets a running task end and takes no other', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    // One place, so that nobody is in the middle of asking for a job at that moment.
    const worker = await queue.start({ film: tasks.task }, { concurrency: 1 });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    const stopped = worker.stop(10_000);
    await queue.add('film');
    tasks.open();
    await stopped;
    assert.equal(tasks.begun, 1);
    const left = await queue.jobs();
    assert.deepEqual(
      left.map(({ locked_by, attempts }) => [locked_by, attempts]),
      [[null, 0]],
      'the first has been taken from the queue, the second waits in it',
    );
  });

  it('when stopped, breaks off what takes too long, and hands it back before it is gone', async (t) => {
    const queue = await createQueue(t);
    let begun = 0;
    const task = async (_payload: unknown, { signal }: { signal: AbortSignal }) => {
      begun += 1;
      if (begun > 1) return;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const worker = await queue.start({ film: task });
    await queue.add('film');
    await until(() => begun === 1);
    await worker.stop(200);
    const [job] = await queue.jobs();
    assert.deepEqual([job?.locked_by, job?.last_error], [null, 'Error']);
    await queue.hasten();
    await queue.start({ film: task });
    await until(async () => (await queue.jobs()).length === 0);
    assert.equal(begun, 2);
  });

  it('stops in time although a task listens to nobody; another worker has its job soon', async (t) => {
    const queue = await createQueue(t);
    const deaf = gate();
    const worker = await queue.start({ film: deaf.task });
    await queue.add('film');
    await until(() => deaf.begun === 1);
    const began = performance.now();
    await worker.stop(200);
    assert.ok(performance.now() - began < 5_000);
    let taken = 0;
    await queue.start({
      async film() {
        taken += 1;
      },
    });
    await until(() => taken === 1);
    deaf.open();
  });

  it('can be stopped while it waits for the database to come back', async (t) => {
    const queue = await createQueue(t);
    const tasks = gate();
    const worker = await queue.start({ film: tasks.task });
    await queue.add('film');
    await until(() => tasks.begun === 1);
    queue.outage.begin();
    tasks.open();
    await until(() => !worker.isWorking);
    await worker.stop(200);
    queue.outage.end();
    assert.equal(worker.isWorking, false);
    assert.equal(await held(queue.owner), 0, 'nobody is left behind');
  });

  it('keeps of an error its code alone: messages carry values', async (t) => {
    const queue = await createQueue(t);
    await queue.start({
      async film() {
        throw Object.assign(new Error('a secret'), { code: '23505' });
      },
    });
    await queue.add('film');
    const failed = await until(async () => (await queue.jobs()).find(({ last_error }) => last_error !== null));
    assert.equal(failed.last_error, '23505');
  });
});

/** When the session of this name last asked something. */
async function lastLook(owner: pg.Pool, name: string): Promise<string | undefined> {
  const sql = 'select query_start::text as at from pg_stat_activity where application_name = $1';
  return (await owner.query<{ at: string }>(sql, [name])).rows[0]?.at;
}

/** How many locks of the living are held. */
async function held(owner: pg.Pool): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(
    `select count(*)::int as n from pg_locks
     where locktype = 'advisory' and granted and classid = 736194
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows[0]?.n ?? 0;
}
