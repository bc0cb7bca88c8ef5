import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type pg from 'pg';
import { createPool } from '../../src/db/pool.ts';
import { restrictedSession } from '../../src/db/session.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { startWorker, type Tasks, type Worker } from '../../src/queue/worker.ts';
import { until } from '../media/until.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';
import { hideStrayErrorsOfQueue } from '../support/stray-errors.ts';

/** A database with a queue, and the workers of this test on it. */
async function createQueue(t: TestContext) {
  hideStrayErrorsOfQueue();
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
    /** `isDirect`: its connections do not go through the proxy that can be cut. */
    async start(
      tasks: Tasks,
      { name = 'alive', checkEveryMs = 50, isDirect = false, concurrency = 4 } = {},
    ): Promise<Worker> {
      const url = isDirect ? database.url : outage.url;
      const pool = createPool({ url, log: silentLog, applicationName: 'queue', connectionsMax: 6 });
      const connection = restrictedSession(url, name);
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
    /** Skips the library's own wait after a failure. */
    makeDue: () => owner.query('update graphile_worker._private_jobs set run_at = now()'),
  };
}

/** A task that runs until `finish`; `starts` counts its starts. */
function createTask() {
  const finished = Promise.withResolvers<void>();
  const state = {
    starts: 0,
    finish: () => finished.resolve(),
    run: async () => {
      state.starts += 1;
      await finished.promise;
    },
  };
  return state;
}

describe('the worker', () => {
  it('neither the process nor the task is lost when the task ends while the database is unavailable', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    const worker = await queue.start({ render: task.run });
    await queue.add('render');
    await until(() => task.starts === 1);
    queue.outage.begin();
    task.finish();
    await until(() => !worker.isWorking);
    queue.outage.end();
    await until(() => worker.isWorking);
    // Its end was not recorded, so it runs once more.
    await until(() => task.starts === 2);
    await until(async () => (await queue.jobs()).length === 0);
  });

  it('a task that fails while the database is unavailable runs again', async (t) => {
    const queue = await createQueue(t);
    let starts = 0;
    const { promise: outage, resolve } = Promise.withResolvers<void>();
    await queue.start({
      async render() {
        starts += 1;
        if (starts > 1) return;
        await outage;
        throw new Error('the database is unavailable');
      },
    });
    await queue.add('render');
    await until(() => starts === 1);
    queue.outage.begin();
    resolve();
    queue.outage.end();
    await until(async () => (await queue.makeDue()) && (await queue.jobs()).length === 0);
    assert.equal(starts, 2);
  });

  it('works again after outages of the database, even right after its start', async (t) => {
    const queue = await createQueue(t);
    const done = new Set<unknown>();
    await queue.start({
      async render(payload) {
        done.add(JSON.stringify(payload));
      },
    });
    for (let outages = 1; outages <= 3; outages += 1) {
      queue.outage.begin();
      queue.outage.end();
      await queue.add('render', { outages });
      await until(() => done.size === outages);
    }
  });

  it('keeps its jobs when another worker sees it without its liveness lock, if it reconnects', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    await queue.start({ render: task.run });
    await queue.add('render');
    await until(() => task.starts === 1);
    const [before] = await queue.jobs();
    await queue.start({ render: task.run }, { name: 'observer', isDirect: true, checkEveryMs: 1_500 });
    const nextCheck = async () => {
      const last = await lastCheck(queue.owner, 'observer');
      await until(async () => (await lastCheck(queue.owner, 'observer')) !== last);
    };
    queue.outage.begin();
    await until(async () => (await livenessLocks(queue.owner)) === 1);
    await nextCheck();
    queue.outage.end();
    await until(async () => (await livenessLocks(queue.owner)) === 2);
    await nextCheck();
    assert.equal((await queue.jobs())[0]?.locked_by, before?.locked_by);
    assert.equal(task.starts, 1);
    task.finish();
  });

  it('unlocks the jobs and the queues of a killed worker, and no others', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    await queue.start({ render: task.run });
    await queue.add('render');
    await until(() => task.starts === 1);
    let unlocked = 0;
    await queue.start({
      async other() {
        unlocked += 1;
      },
    });
    const later = `run_at := now() + interval '1 hour'`;
    await queue.owner.query(`select graphile_worker.add_job('other', '{}', queue_name := 'queue', ${later})`);
    await queue.owner.query(
      `update graphile_worker._private_job_queues set locked_by = 'pool-gone', locked_at = now()`,
    );
    await queue.owner.query(
      `update graphile_worker._private_jobs set locked_by = 'pool-gone', locked_at = now(), run_at = now()
       where locked_by is null`,
    );
    await until(() => unlocked === 1);
    assert.equal(task.starts, 1);
    task.finish();
  });

  it('returns a job that it got over a lost connection, and continues with its running task', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    let other = 0;
    await queue.start({
      render: task.run,
      async other() {
        other += 1;
      },
    });
    await queue.add('render');
    await until(() => task.starts === 1);
    await queue.owner.query(`select graphile_worker.add_job('other', '{}', run_at := now() + interval '1 hour')`);
    // The state of the database when the answer with a fetched job is lost.
    await queue.owner.query(
      `update graphile_worker._private_jobs set run_at = now(), locked_at = now(),
         locked_by = (select locked_by from graphile_worker._private_jobs where locked_by is not null)
       where locked_by is null`,
    );
    await until(() => other === 1);
    assert.equal(task.starts, 1);
    task.finish();
    await until(async () => (await queue.jobs()).length === 0);
    assert.equal(task.starts, 1);
  });

  it('leaves a fetched job without a free slot to another worker, and keeps its running task', async (t) => {
    const queue = await createQueue(t);
    const busy = createTask();
    await queue.start({ render: busy.run }, { concurrency: 1 });
    await queue.add('render');
    await until(() => busy.starts === 1);
    await queue.add('render');
    const waiting = async () => (await queue.jobs()).filter(({ locked_by }) => locked_by !== null).length === 2;
    await until(waiting);
    const free = createTask();
    await queue.start({ render: free.run }, { name: 'free' });
    await until(() => free.starts === 1);
    assert.equal(busy.starts, 1);
    busy.finish();
    free.finish();
    await until(async () => (await queue.jobs()).length === 0);
    assert.deepEqual([busy.starts, free.starts], [1, 1]);
  });

  it('lets a running task end when it is stopped, and starts no other', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    // One slot, so that no job is being fetched at that moment.
    const worker = await queue.start({ render: task.run }, { concurrency: 1 });
    await queue.add('render');
    await until(() => task.starts === 1);
    const stopped = worker.stop(10_000);
    await queue.add('render');
    task.finish();
    await stopped;
    assert.equal(task.starts, 1);
    const left = await queue.jobs();
    assert.deepEqual(
      left.map(({ locked_by, attempts }) => [locked_by, attempts]),
      [[null, 0]],
      'the first is done, the second waits in the queue',
    );
  });

  it('aborts a task that takes too long when it is stopped, and returns its job before it ends', async (t) => {
    const queue = await createQueue(t);
    let starts = 0;
    const task = async (_payload: unknown, { signal }: { signal: AbortSignal }) => {
      starts += 1;
      if (starts > 1) return;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const worker = await queue.start({ render: task });
    await queue.add('render');
    await until(() => starts === 1);
    await worker.stop(200);
    const [job] = await queue.jobs();
    assert.deepEqual([job?.locked_by, job?.last_error], [null, 'Error']);
    await queue.makeDue();
    await queue.start({ render: task });
    await until(async () => (await queue.jobs()).length === 0);
    assert.equal(starts, 2);
  });

  it('stops in time although a task ignores its signal; another worker gets its job soon', async (t) => {
    const queue = await createQueue(t);
    const hanging = createTask();
    const worker = await queue.start({ render: hanging.run });
    await queue.add('render');
    await until(() => hanging.starts === 1);
    const began = performance.now();
    await worker.stop(200);
    assert.ok(performance.now() - began < 5_000);
    let restarts = 0;
    await queue.start({
      async render() {
        restarts += 1;
      },
    });
    await until(() => restarts === 1);
    hanging.finish();
  });

  it('can be stopped while it waits for the database', async (t) => {
    const queue = await createQueue(t);
    const task = createTask();
    const worker = await queue.start({ render: task.run });
    await queue.add('render');
    await until(() => task.starts === 1);
    queue.outage.begin();
    task.finish();
    await until(() => !worker.isWorking);
    await worker.stop(200);
    queue.outage.end();
    assert.equal(worker.isWorking, false);
    assert.equal(await livenessLocks(queue.owner), 0, 'no liveness lock is left');
  });

  it('stores only the code of an error, because messages contain values', async (t) => {
    const queue = await createQueue(t);
    await queue.start({
      async render() {
        throw Object.assign(new Error('a secret'), { code: '23505' });
      },
    });
    await queue.add('render');
    const failed = await until(async () => (await queue.jobs()).find(({ last_error }) => last_error !== null));
    assert.equal(failed.last_error, '23505');
  });
});

/** When the session of this name last started a query. */
async function lastCheck(owner: pg.Pool, name: string): Promise<string | undefined> {
  const sql = 'select query_start::text as at from pg_stat_activity where application_name = $1';
  return (await owner.query<{ at: string }>(sql, [name])).rows[0]?.at;
}

/** How many liveness locks are held. */
async function livenessLocks(owner: pg.Pool): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(
    `select count(*)::int as n from pg_locks
     where locktype = 'advisory' and granted and classid = 736194
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows[0]?.n ?? 0;
}
