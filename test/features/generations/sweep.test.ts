import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Context } from '../../../src/features/context.ts';
import { startSweeper, sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

/** Makes the job one without a task, and old enough that no new task can be expected. */
async function orphan(app: TestApp, jobId: string): Promise<void> {
  await app.owner.query(`delete from graphile_worker._private_jobs where payload ->> 'job_id' = $1`, [jobId]);
  await app.owner.query(`update video_jobs set created_at = now() - interval '1 minute' where job_id = $1`, [jobId]);
}

/** A context that runs `before` before each call of one procedure. */
function withHook(ctx: Context, procedure: string, before: (args: Record<string, unknown>) => Promise<void>): Context {
  const call: typeof ctx.db.call = async (name, args) => {
    if (name === procedure) await before(args);
    return ctx.db.call(name, args);
  };
  return { ...ctx, db: { ...ctx.db, call } };
}

describe('the sweep', () => {
  it('fails jobs after their deadline in any state, and refunds them once', async () => {
    await using app = await createTestApp({
      vendor: { pollIntervalMs: 8_000, status: [{ state: 'queued', queuePosition: 1 }] },
    });
    const userId = await app.user(3);
    const [processing, young] = [await app.generate(userId), await app.generate(userId)];
    await app.drain();
    const pending = await app.generate(userId);
    await app.owner.query(`update graphile_worker._private_jobs set run_at = now() + interval '1 hour'`);
    for (const jobId of [processing, pending]) await app.expire(jobId);
    const both = await Promise.all([sweepGenerations(app.ctx), sweepGenerations(app.ctx)]);
    assert.equal(
      both.reduce((sum, { expired }) => sum + expired, 0),
      2,
    );
    for (const jobId of [processing, pending]) assert.equal((await app.job(jobId)).error_code, 'ERR_5001');
    assert.equal((await app.job(young)).status, 'processing');
    assert.equal(await app.balance(userId), 2);
    await app.drain();
    assert.ok(app.vendor.cancels.includes(processing));
    await app.assertSound();
  });

  it('refunds the other jobs although one cannot be failed', async () => {
    await using app = await createTestApp();
    const userId = await app.user(3);
    const jobs = [await app.generate(userId), await app.generate(userId), await app.generate(userId)];
    for (const jobId of jobs) await app.expire(jobId);
    const ctx = withHook(app.ctx, 'fail_generation', async ({ job_id }) => {
      if (job_id === jobs[0]) throw new Error('a broken row');
    });
    assert.equal((await sweepGenerations(ctx)).expired, 2);
    assert.equal(await app.balance(userId), 2);
  });

  it('adds a task for a job without one, but not for a job with an unknown submit', async () => {
    await using app = await createTestApp({
      vendor: {
        isRepeatable: false,
        pollIntervalMs: 8_000,
        submit: ['accept', { outcome: 'unknown', cause: 'cut' }],
        status: [{ state: 'queued', queuePosition: 1 }, 'complete'],
      },
    });
    const userId = await app.user(4);
    const [running, unknown] = [await app.generate(userId), await app.generate(userId)];
    await app.drain();
    const [orphaned, withTask] = [await app.generate(userId), await app.generate(userId)];
    for (const jobId of [running, unknown, orphaned]) await orphan(app, jobId);
    app.vendor.script({ submit: ['accept'], status: ['complete'] });

    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 2 });
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 0 });
    await app.drain();
    for (const jobId of [running, orphaned, withTask]) assert.equal((await app.job(jobId)).status, 'completed');
    assert.equal((await app.job(unknown)).status, 'pending');
    assert.equal(app.vendor.submits.filter((jobId) => jobId === unknown).length, 1);
  });

  it('makes a task due whose next attempt the queue has delayed for long', async () => {
    await using app = await createTestApp();
    const jobId = await app.generate(await app.user(1));
    await app.owner.query(
      `update graphile_worker._private_jobs set attempts = 7, run_at = now() + interval '20 minutes'`,
    );
    await sweepGenerations(app.ctx);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('repeats after a failed sweep, runs one sweep at a time, and stops', async () => {
    await using app = await createTestApp();
    let running = 0;
    let overlapped = false;
    let sweeps = 0;
    const { promise: fifth, resolve } = Promise.withResolvers<void>();
    const ctx = withHook(app.ctx, 'requeue_orphans', async () => {
      overlapped ||= running > 0;
      running += 1;
      // Longer than the time between two sweeps.
      await app.owner.query('select pg_sleep(0.01)');
      running -= 1;
      sweeps += 1;
      if (sweeps === 5) resolve();
      if (sweeps % 2 === 1) throw new Error('the database is unavailable');
    });
    const sweeper = startSweeper(ctx, 1);
    await fifth;
    await sweeper.stop();
    const sweepsAtStop = sweeps;
    await app.owner.query('select pg_sleep(0.05)');
    assert.equal(sweeps, sweepsAtStop);
    assert.equal(overlapped, false);
  });
});
