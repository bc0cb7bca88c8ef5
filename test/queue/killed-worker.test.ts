import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { startTestWorker } from '../support/server.ts';

/** A film that takes some seconds to render. */
const LONG = { duration: 10, resolution: '1080p' };
const SHORT = { duration: 1, resolution: '360p' };

/** Who does the job's task just now; null when nobody does. */
async function workerOf(app: TestApp, jobId: string): Promise<string | null> {
  const { rows } = await app.owner.query<{ locked_by: string | null }>(
    `select locked_by from graphile_worker._private_jobs where payload ->> 'job_id' = $1 and locked_by is not null`,
    [jobId],
  );
  return rows[0]?.locked_by ?? null;
}

it('the jobs of a worker that is killed in the middle of a render are resumed by another within 30 s, and only then', async () => {
  await using app = await createTestApp();
  const env = { DATABASE_URL: app.url, DATA_DIR: app.dataDir };
  await using one = await startTestWorker({ env });
  const userId = await app.user(1);
  const jobId = await app.generate(userId, { settings: LONG });
  const first = await until(() => workerOf(app, jobId));
  await until(async () => ((await app.job(jobId)).progress ?? 0) > 0);
  await using _two = await startTestWorker({ env });
  assert.equal((await app.job(jobId)).status, 'processing', 'it is in the middle');
  assert.equal((await workerOf(app, jobId)) ?? first, first, 'a second worker takes nothing from a living one');

  await one.kill('SIGKILL');
  // It begins anew; there is no need to wait for all of it.
  await app.owner.query('update video_jobs set settings = $2 where job_id = $1', [jobId, SHORT]);
  const killedAt = performance.now();
  await until(async () => ((await workerOf(app, jobId)) ?? first) !== first, 30_000);
  assert.ok(performance.now() - killedAt < 30_000);
  await until(async () => (await app.job(jobId)).status === 'completed', 60_000);
  assert.equal(await app.balance(userId), 0);
  await app.assertSound();
});

it('a worker that is told to go in the middle of a render hands its job back, and ends well and soon', async () => {
  await using app = await createTestApp();
  const env = { DATABASE_URL: app.url, DATA_DIR: app.dataDir };
  await using one = await startTestWorker({ env });
  const jobId = await app.generate(await app.user(1), { settings: LONG });
  await until(async () => ((await app.job(jobId)).progress ?? 0) > 0);
  const toldAt = performance.now();
  // As npm does, which passes on what the terminal sends to both.
  process.kill(one.pid, 'SIGTERM');
  process.kill(one.pid, 'SIGTERM');
  assert.equal(await one.exited, 0);
  assert.ok(performance.now() - toldAt < 12_000, `${performance.now() - toldAt} ms`);
  assert.equal(await workerOf(app, jobId), null, 'nobody holds it');
  const job = await app.job(jobId);
  assert.ok(job.status === 'processing' || job.status === 'completed');
  await app.owner.query('update video_jobs set settings = $2 where job_id = $1', [jobId, SHORT]);
  await using _two = await startTestWorker({ env });
  await until(async () => (await app.job(jobId)).status === 'completed', 60_000);
  await app.assertSound();
});
