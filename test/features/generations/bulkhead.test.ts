/** A vendor that hangs holds up its own jobs and nobody else's. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allTasks } from '../../../src/app/tasks.ts';
import { createPool, restrictedConnection } from '../../../src/db/pool.ts';
import { confirmAttempt } from '../../../src/features/generations/worker/confirm.ts';
import { withProviderSlot } from '../../../src/features/generations/worker/provider-slot.ts';
import { type Bulkhead, createBulkhead } from '../../../src/kernel/bulkhead.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { startWorker } from '../../../src/queue/worker.ts';
import { until } from '../../media/until.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { createVendor } from '../../support/providers.ts';

const never = new AbortController().signal;
const running = { state: 'processing', progress: 1 } as const;

/** Where every place is taken. */
const full: Bulkhead = { run: async () => ({ hasRun: false, retryAfterMs: 3_000 }) };
const crowded = ({ ctx }: TestApp) => ({ ctx: { ...ctx, bulkhead: full } });

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** What is still to be done for the job, and in how many seconds. */
async function waits(app: TestApp, jobId: string): Promise<[string, number][]> {
  return (await app.tasksOf(jobId))
    .filter(({ isLocked }) => !isLocked)
    .map(({ task, dueMs }) => [task, Math.ceil(dueMs / 1000)]);
}

describe('whoever finds its vendor’s places taken leaves, and comes back by a task', () => {
  it('a submit, which has claimed nothing and sent nothing', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(await app.drain(crowded(app)), []);
      assert.deepEqual(await waits(app, jobId), [['submit_generation', 3]]);
      await app.hasten();
    }
    assert.deepEqual([await app.attempts(jobId), app.vendor.submits], [[], []]);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('a submit of a job that has ended meanwhile is over: it needs no place', async () => {
    await using app = await createTestApp();
    const { userId, jobId } = await begin(app);
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    await app.drain(crowded(app));
    assert.deepEqual(await app.tasksOf(jobId), []);
  });

  it('a question, which an event may still bring forward', async () => {
    await using app = await createTestApp({ vendor: { pollIntervalMs: 60_000, status: [running, 'complete'] } });
    const { jobId } = await begin(app);
    await app.drain();
    await app.hasten();
    assert.deepEqual(await app.drain(crowded(app)), []);
    assert.deepEqual(await waits(app, jobId), [['poll_generation', 3]]);
    assert.equal(app.vendor.looks.length, 1);
    await app.ctx.db.call('schedule_poll', { job_id: jobId, delay_ms: 0 });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('a confirmation, which is no look, and which no deadline cuts off before the vendor was asked', async () => {
    await using app = await createTestApp({
      vendor: {
        isRepeatable: false,
        pollIntervalMs: 60_000,
        submit: [{ outcome: 'unknown', cause: 'cut' }],
        status: [running],
      },
    });
    const { jobId } = await begin(app);
    await app.drain();
    await app.expire(jobId);
    const question = { jobId, providerJobId: 'taken', tries: 2 };
    await confirmAttempt(crowded(app).ctx, question, never);
    assert.deepEqual(await waits(app, jobId), [['confirm_attempt', 3]]);
    const { rows } = await app.owner.query('select payload from graphile_worker._private_jobs');
    assert.deepEqual(rows, [{ payload: { job_id: jobId, provider_job_id: 'taken', try: 2 } }]);
    await app.hasten();
    await app.drain();
    assert.equal((await app.attempts(jobId))[0]?.state, 'accepted');
  });

  it('a word that a job is no longer wanted, while its credits are back at once', async () => {
    await using app = await createTestApp({ vendor: { pollIntervalMs: 60_000, status: [running] } });
    const { userId, jobId } = await begin(app);
    await app.drain();
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    assert.equal(await app.balance(userId), 1);
    assert.deepEqual(await app.drain(crowded(app)), []);
    assert.deepEqual(app.vendor.cancels, []);
    assert.ok((await waits(app, jobId)).some(([task, seconds]) => task === 'clean_up_generation' && seconds === 3));
    await app.hasten();
    await app.drain();
    assert.deepEqual(new Set(app.vendor.cancels), new Set([jobId]));
    assert.deepEqual(await app.tasksOf(jobId), []);
    await app.assertSound();
  });

  it('from where a video is being fetched: a slow host is its vendor’s', async () => {
    const bulkhead = createBulkhead({ slots: 1, clock: { now: () => new Date() } });
    await using app = await createTestApp({
      overrides: { bulkhead },
      vendor: {
        status: [{ state: 'completed', video: { from: 'url', url: 'https://vendor.test/film.mp4' }, thumbnail: null }],
      },
    });
    const visits: boolean[] = [];
    app.ctx.mediaFetcherFor = () => ({
      async fetchToFile(_url, path) {
        visits.push(!(await bulkhead.run('sandbox', async () => {})).hasRun);
        await writeFile(path, 'a film');
        return { bytes: 6 };
      },
    });
    const { jobId } = await begin(app);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).status, visits], ['completed', [true]]);
    assert.equal((await bulkhead.run('sandbox', async () => {})).hasRun, true);
  });
});

describe('a vendor’s places', () => {
  it('are those of all providers behind it: Pika hangs when fal does, and Runway does not', async () => {
    await using app = await createTestApp();
    const named = (name: 'fal' | 'pika' | 'runway') => {
      const { provider } = createVendor({ name, folder: app.dataDir });
      return name === 'runway' ? provider : { ...provider, webhooksFrom: 'fal' as const };
    };
    const ctx = { ...app.ctx, bulkhead: createBulkhead({ slots: 1, clock: app.ctx.clock }) };
    const seen = await withProviderSlot(ctx, named('fal'), async () => [
      await withProviderSlot(ctx, named('pika'), async () => {}),
      await withProviderSlot(ctx, named('runway'), async () => {}),
    ]);
    assert.ok(seen.hasRun);
    assert.deepEqual(
      seen.result.map(({ hasRun }) => !hasRun),
      [true, false],
    );
  });
});

/** As a server has them. */
const PLACES = 16;

describe('a vendor that hangs on every question, with more jobs than there are places', () => {
  it('keeps half of them; another’s job is made meanwhile, and every job ends once it answers again', async () => {
    await using app = await createTestApp();
    const answers = Promise.withResolvers<void>();
    let asked = 0;
    let askedMost = 0;
    const hanging = createVendor({
      name: 'runway',
      folder: join(app.dataDir, 'hanging'),
      isRepeatable: false,
      pollIntervalMs: 60_000,
      status: [
        async () => {
          asked += 1;
          askedMost = Math.max(askedMost, asked);
          await answers.promise;
          asked -= 1;
          return 'complete';
        },
      ],
    });
    app.ctx.providers = new Map([
      ['runway', hanging.provider],
      ['sandbox', app.vendor.provider],
    ]);
    const userId = await app.user(100);
    const wish = { model: 'Runway Gen-4.5', settings: { duration: 2 } };
    const stuck = await Promise.all(Array.from({ length: 24 }, () => app.generate(userId, wish)));

    const pool = createPool({ url: app.url, log: silentLog, connectionsMax: PLACES + 2 });
    const worker = await startWorker({
      pool,
      connection: restrictedConnection(app.url, 'alive'),
      tasks: allTasks(app.ctx),
      crontab: '',
      log: silentLog,
      concurrency: PLACES,
    });
    try {
      await until(() => asked === PLACES / 2);
      const other = await app.generate(userId);
      await until(async () => (await app.job(other)).status === 'completed');
      assert.equal(askedMost, PLACES / 2);
      assert.ok(
        (await Promise.all(stuck.map((jobId) => app.job(jobId)))).every(({ status }) => status !== 'completed'),
      );

      answers.resolve();
      await until(async () => {
        // Those who are to come back do so now.
        await app.owner.query('update graphile_worker._private_jobs set run_at = now() where locked_at is null');
        const jobs = await Promise.all(stuck.map((jobId) => app.job(jobId)));
        return jobs.every(({ status }) => status === 'completed');
      });
      assert.deepEqual(new Set(hanging.submits), new Set(stuck));
      assert.equal(hanging.submits.length, stuck.length, 'each was sent once');
      assert.equal(await app.balance(userId), 100 - 24 * 2 - 1);
      await app.assertSound();
    } finally {
      answers.resolve();
      await worker.stop(1_000);
      await pool.end();
    }
  });
});
