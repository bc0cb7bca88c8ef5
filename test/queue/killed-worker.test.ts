import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { startTestWorker } from '../support/server.ts';

/** A video that takes some seconds to render. */
const LONG = { duration: 10, resolution: '1080p' };
const SHORT = { duration: 1, resolution: '360p' };

/** The worker that runs the job's task; null if none does. */
async function workerOf(app: TestApp, jobId: string): Promise<string | null> {
  const { rows } = await app.owner.query<{ locked_by: string | null }>(
    `select locked_by from graphile_worker._private_jobs where payload ->> 'job_id' = $1 and locked_by is not null`,
    [jobId],
  );
  return rows[0]?.locked_by ?? null;
}

it('the jobs of a worker that is killed during a render are resumed by another within 30 s, but not while it lives', async () => {
  await using app = await createTestApp();
  const env = { DATABASE_URL: app.url, DATA_DIR: app.dataDir };
  await using one = await startTestWorker({ env });
  const userId = await app.user(1);
  const jobId = await app.generate(userId, { settings: LONG });
  const first = await until(() => workerOf(app, jobId));
  await until(async () => ((await app.job(jobId)).progress ?? 0) > 0);
  await using _two = await startTestWorker({ env });
  assert.equal((await app.job(jobId)).status, 'processing', 'it is still being rendered');
  assert.equal((await workerOf(app, jobId)) ?? first, first, 'a second worker takes no job from a live one');

  await one.kill('SIGKILL');
  // The render starts again; a shorter video saves time.
  await app.owner.query('update video_jobs set settings = $2 where job_id = $1', [jobId, SHORT]);
  const killedAt = performance.now();
  await until(async () => ((await workerOf(app, jobId)) ?? first) !== first, 30_000);
  assert.ok(performance.now() - killedAt < 30_000);
  await until(async () => (await app.job(jobId)).status === 'completed', 60_000);
  assert.equal(await app.balance(userId), 0);
  await app.assertSound();
});

it('a worker that is terminated during a render returns its job to the queue, and exits with 0 within 12 s', async () => {
  await using app = await createTestApp();
  const env = { DATABASE_URL: app.url, DATA_DIR: app.dataDir };
  await using one = await startTestWorker({ env });
  const jobId = await app.generate(await app.user(1), { settings: LONG });
  await until(async () => ((await app.job(jobId)).progress ?? 0) > 0);
  const terminatedAt = performance.now();
  // Twice, as under npm: npm forwards the terminal's signal, which the process itself gets too.
  process.kill(one.pid, 'SIGTERM');
  process.kill(one.pid, 'SIGTERM');
  assert.equal(await one.exited, 0);
  assert.ok(performance.now() - terminatedAt < 12_000, `${performance.now() - terminatedAt} ms`);
  assert.equal(await workerOf(app, jobId), null, 'no worker holds it');
  const job = await app.job(jobId);
  assert.ok(job.status === 'processing' || job.status === 'completed');
  await app.owner.query('update video_jobs set settings = $2 where job_id = $1', [jobId, SHORT]);
  await using _two = await startTestWorker({ env });
  await until(async () => (await app.job(jobId)).status === 'completed', 60_000);
  await app.assertSound();
});
