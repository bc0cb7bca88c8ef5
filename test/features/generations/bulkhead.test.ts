/** A vendor that hangs delays only its own jobs. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allTasks } from '../../../src/app/tasks.ts';
import { createPool } from '../../../src/db/pool.ts';
import { restrictedSession } from '../../../src/db/session.ts';
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

/** All slots are in use. */
const fullBulkhead: Bulkhead = { run: async () => ({ hasRun: false, retryAfterMs: 3_000 }) };
const withoutSlots = ({ ctx }: TestApp) => ({ ctx: { ...ctx, bulkhead: fullBulkhead } });

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** The job's waiting tasks, and in how many seconds each is due. */
async function waitingTasks(app: TestApp, jobId: string): Promise<[string, number][]> {
  return (await app.tasksOf(jobId))
    .filter(({ isLocked }) => !isLocked)
    .map(({ task, dueMs }) => [task, Math.ceil(dueMs / 1000)]);
}

describe('a task that finds all of its vendor’s slots in use ends, and is scheduled again', () => {
  it('a submit, which has claimed no attempt and sent nothing', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(await app.drain(withoutSlots(app)), []);
      assert.deepEqual(await waitingTasks(app, jobId), [['submit_generation', 3]]);
      await app.makeAllDue();
    }
    assert.deepEqual([await app.attempts(jobId), app.vendor.submits], [[], []]);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('a submit of a job that has ended meanwhile needs no slot and is not scheduled again', async () => {
    await using app = await createTestApp();
    const { userId, jobId } = await begin(app);
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    await app.drain(withoutSlots(app));
    assert.deepEqual(await app.tasksOf(jobId), []);
  });

  it('a poll, which an event may still bring forward', async () => {
    await using app = await createTestApp({ vendor: { pollIntervalMs: 60_000, status: [running, 'complete'] } });
    const { jobId } = await begin(app);
    await app.drain();
    await app.makeAllDue();
    assert.deepEqual(await app.drain(withoutSlots(app)), []);
    assert.deepEqual(await waitingTasks(app, jobId), [['poll_generation', 3]]);
    assert.equal(app.vendor.polls.length, 1);
    await app.ctx.db.call('schedule_poll', { job_id: jobId, delay_ms: 0 });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('a confirmation, which no deadline ends before the vendor was asked', async () => {
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
    const attempt = { jobId, providerJobId: 'taken', tries: 2 };
    await confirmAttempt(withoutSlots(app).ctx, attempt, never);
    assert.deepEqual(await waitingTasks(app, jobId), [['confirm_attempt', 3]]);
    const { rows } = await app.owner.query('select payload from graphile_worker._private_jobs');
    assert.deepEqual(rows, [{ payload: { job_id: jobId, provider_job_id: 'taken', try: 2 } }]);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.attempts(jobId))[0]?.state, 'accepted');
  });

  it('a cancellation at the vendor, while the credits are refunded at once', async () => {
    await using app = await createTestApp({ vendor: { pollIntervalMs: 60_000, status: [running] } });
    const { userId, jobId } = await begin(app);
    await app.drain();
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    assert.equal(await app.balance(userId), 1);
    assert.deepEqual(await app.drain(withoutSlots(app)), []);
    assert.deepEqual(app.vendor.cancels, []);
    assert.ok(
      (await waitingTasks(app, jobId)).some(([task, seconds]) => task === 'clean_up_generation' && seconds === 3),
    );
    await app.makeAllDue();
    await app.drain();
    assert.deepEqual(new Set(app.vendor.cancels), new Set([jobId]));
    assert.deepEqual(await app.tasksOf(jobId), []);
    await app.assertSound();
  });

  it('any task while a video is downloaded: the download holds its vendor’s slot', async () => {
    const bulkhead = createBulkhead({ slots: 1, clock: { now: () => new Date() } });
    await using app = await createTestApp({
      overrides: { bulkhead },
      vendor: {
        status: [{ state: 'completed', video: { from: 'url', url: 'https://vendor.test/video.mp4' }, thumbnail: null }],
      },
    });
    const wasFull: boolean[] = [];
    app.ctx.mediaFetcherFor = () => ({
      async fetchToFile(_url, path) {
        wasFull.push(!(await bulkhead.run('sandbox', async () => {})).hasRun);
        await writeFile(path, 'a clip');
        return { bytes: 6 };
      },
    });
    const { jobId } = await begin(app);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).status, wasFull], ['completed', [true]]);
    assert.equal((await bulkhead.run('sandbox', async () => {})).hasRun, true);
  });
});

describe('a vendor’s slots', () => {
  it('are shared by all of its providers: Pika has no slot when fal has none, and Runway has', async () => {
    await using app = await createTestApp();
    const providerNamed = (name: 'fal' | 'pika' | 'runway') => {
      const { provider } = createVendor({ name, folder: app.dataDir });
      return name === 'runway' ? provider : { ...provider, webhooksFrom: 'fal' as const };
    };
    const ctx = { ...app.ctx, bulkhead: createBulkhead({ slots: 1, clock: app.ctx.clock }) };
    const seen = await withProviderSlot(ctx, providerNamed('fal'), async () => [
      await withProviderSlot(ctx, providerNamed('pika'), async () => {}),
      await withProviderSlot(ctx, providerNamed('runway'), async () => {}),
    ]);
    assert.ok(seen.hasRun);
    assert.deepEqual(
      seen.result.map(({ hasRun }) => !hasRun),
      [true, false],
    );
  });
});

/** As many as a server's worker has. */
const CONCURRENCY = 16;

describe('a vendor that hangs on every status request, with more jobs than slots', () => {
  it('occupies half of the worker’s concurrency; another vendor’s job completes meanwhile, and every job ends once it answers again', async () => {
    await using app = await createTestApp();
    const answering = Promise.withResolvers<void>();
    let polling = 0;
    let pollingMost = 0;
    const hanging = createVendor({
      name: 'runway',
      folder: join(app.dataDir, 'hanging'),
      isRepeatable: false,
      pollIntervalMs: 60_000,
      status: [
        async () => {
          polling += 1;
          pollingMost = Math.max(pollingMost, polling);
          await answering.promise;
          polling -= 1;
          return 'complete';
        },
      ],
    });
    app.ctx.providers = new Map([
      ['runway', hanging.provider],
      ['sandbox', app.vendor.provider],
    ]);
    const userId = await app.user(100);
    const request = { model: 'Runway Gen-4.5', settings: { duration: 2 } };
    const stuck = await Promise.all(Array.from({ length: 24 }, () => app.generate(userId, request)));

    const pool = createPool({ url: app.url, log: silentLog, connectionsMax: CONCURRENCY + 2 });
    const worker = await startWorker({
      pool,
      connection: restrictedSession(app.url, 'alive'),
      tasks: allTasks(app.ctx),
      crontab: '',
      log: silentLog,
      concurrency: CONCURRENCY,
    });
    try {
      await until(() => polling === CONCURRENCY / 2);
      const other = await app.generate(userId);
      await until(async () => (await app.job(other)).status === 'completed');
      assert.equal(pollingMost, CONCURRENCY / 2);
      assert.ok(
        (await Promise.all(stuck.map((jobId) => app.job(jobId)))).every(({ status }) => status !== 'completed'),
      );

      answering.resolve();
      await until(async () => {
        // Makes all waiting tasks due now.
        await app.owner.query('update graphile_worker._private_jobs set run_at = now() where locked_at is null');
        const jobs = await Promise.all(stuck.map((jobId) => app.job(jobId)));
        return jobs.every(({ status }) => status === 'completed');
      });
      assert.deepEqual(new Set(hanging.submits), new Set(stuck));
      assert.equal(hanging.submits.length, stuck.length, 'each was sent once');
      assert.equal(await app.balance(userId), 100 - 24 * 2 - 1);
      await app.assertSound();
    } finally {
      answering.resolve();
      await worker.stop(1_000);
      await pool.end();
    }
  });
});
