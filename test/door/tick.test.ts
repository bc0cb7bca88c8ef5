/** What a tick does with finished videos, in a runtime that cannot decode video. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/app/config.ts';
import { createHttp } from '../../src/app/http.ts';
import { tick } from '../../src/entry/door/tick.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createContainerProbe } from '../../src/media/container-probe.ts';
import type { VideoProvider } from '../../src/providers/provider.ts';
import { makeClip } from '../media/make-video.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { createVendor } from '../support/providers.ts';

/** Runs ticks on the test's application, as an isolate does on its own. */
async function tickOf(app: TestApp) {
  const config = await readConfig({ DATABASE_URL: app.url });
  const httpSettings = { publicUrl: undefined, corsOrigins: '*', anonKey: undefined } as const;
  const api = createHttp(app.ctx, { ...httpSettings, ipOf: () => '203.0.113.1', isWorking: () => null });
  const running = { ctx: app.ctx, concurrency: 4, ensureOwnStore: async () => {}, close: async () => {} };
  return () => tick({ config, log: silentLog, running, api, directUrl: app.url, secretKey: 'unused here' });
}

test('a tick delivers a complete video without a thumbnail, and fails an incomplete one', async (t) => {
  let path = '';
  const folder = await mkdtemp(join(tmpdir(), 'rendio-tick-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // A vendor like any other, except for the video that it sends.
  const provider: VideoProvider = {
    ...createVendor({ folder }).provider,
    status: async () => ({ state: 'completed', video: { from: 'file', path }, thumbnail: null }),
  };
  await using app = await createTestApp({
    overrides: { probe: createContainerProbe(), providers: new Map([['sandbox', provider]]) },
  });
  const [good, bad] = [join(folder, 'good.mp4'), join(folder, 'bad.mp4')];
  await makeClip(good, { frames: 50 });
  const whole = await readFile(good);
  await writeFile(bad, whole.subarray(0, whole.length - 1));
  const runTick = await tickOf(app);
  const userId = await app.user();

  const finish = async (video: string) => {
    path = video;
    const jobId = await app.generate(userId);
    assert.deepEqual(await runTick(), { done: true, busy: false, expired: 0, requeued: 0 });
    return app.job(jobId);
  };
  const delivered = await finish(good);
  assert.equal(delivered.status, 'completed');
  assert.ok(delivered.video_url);
  assert.equal(delivered.thumbnail_url, null);
  assert.deepEqual(await app.stored(), [`videos/${delivered.video_url}`]);
  const refused = await finish(bad);
  assert.deepEqual([refused.status, refused.error_code], ['failed', 'ERR_5005']);
  assert.equal(await app.balance(userId), 9);
  assert.deepEqual((await app.owner.query('select * from broken_invariants()')).rows, []);
});

test('a tick runs no task that is not due, that another worker has locked, or that only a worker on Node can do', async () => {
  await using app = await createTestApp({ overrides: { push: { send: null, close: async () => {} } } });
  const runTick = await tickOf(app);
  const userId = await app.user();
  const [later, theirs] = [await app.generate(userId), await app.generate(userId)];
  const set = (jobId: string, change: string) =>
    app.owner.query(`update graphile_worker._private_jobs set ${change} where payload ->> 'job_id' = $1`, [jobId]);
  await set(later, `run_at = now() + interval '1 hour'`);
  const worker = await app.owner.connect();
  await worker.query(`select pg_advisory_lock_shared(736194, ('x' || substr(md5('another'), 1, 8))::bit(32)::int)`);
  await set(theirs, `locked_at = now(), locked_by = 'another'`);
  await app.owner.query('select schedule_push(gen_random_uuid())');
  assert.equal((await runTick()).done, true);
  assert.deepEqual(app.vendor.submits, []);
  const { rows } = await app.owner.query(
    `select attempts from graphile_worker.jobs where task_identifier = 'send_push'`,
  );
  assert.deepEqual(rows, [{ attempts: 0 }]);
  worker.release(true);
});
