/** A server with a key for fal, which is simulated over a port. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { withFalControls } from '../../sim/fal/controls.ts';
import { createFalSimulator, type FalSimulator } from '../../sim/fal.ts';
import { type Served, serveSimulator } from '../../sim/serve.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { call } from '../acceptance/support/api.ts';
import { type Guest, newGuest } from '../acceptance/support/guest.ts';
import { until } from '../acceptance/support/until.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const PRICE = 4;
const ENDED_MS = 40_000;

describe('a server with a key for fal', () => {
  let dataDir: string;
  let fal: FalSimulator;
  let served: Served;
  let database: TestDatabase;
  let server: TestServer;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'rendio-fal-'));
    fal = await createFalSimulator({ dataDir, clock: systemClock, log: silentLog, deliver: fetch });
    fal.controls.setTiming({ queueMs: 200, runMs: 500 });
    served = await serveSimulator(withFalControls(fal));
    database = await createTestDatabase();
    const { host } = new URL(served.url);
    const vendor = { FAL_QUEUE_URL: served.url, FAL_REST_URL: served.url, MEDIA_ALLOWED_HOSTS: host };
    server = await startTestServer({
      env: { ...vendor, DATABASE_URL: database.url, FALAI_API_KEY: fal.credentials.apiKey, LOG_LEVEL: 'silent' },
    });
  });
  after(async () => {
    await server?.stop();
    await database?.[Symbol.asyncDispose]();
    await served?.close();
    await fal?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function begin(prompt: string): Promise<{ guest: Guest; jobId: string }> {
    const guest = await newGuest(server.url);
    const { models } = (await call<{ models: { id: string; name: string }[] }>(server.url, 'GET', 'get-models')).body;
    const model = models.find(({ name }) => name === 'Cinematic');
    assert.ok(model, 'its models are available');
    const { job_id } = await guest.start({ model_id: model.id, prompt });
    return { guest, jobId: job_id };
  }

  test('a submit whose answer is cut is resolved by its webhook: the video is delivered, and fal got one submit', async () => {
    fal.controls.plan({ on: 'submit', apply: true, reply: 'cut' });
    const { guest, jobId } = await begin('a boat cut loose');
    await guest.waitFor(jobId, ['completed'], ENDED_MS);
    assert.equal(fal.controls.submitsOf('a boat cut loose'), 1);
    assert.equal(await guest.balance(), 10 - PRICE);
  });

  test('a submit whose answer is cut and whose webhook is lost is never sent again: the credits are held', async () => {
    fal.controls.plan({ on: 'submit', apply: true, reply: 'cut' });
    fal.controls.planWebhooks({ fault: 'lose' });
    const { guest, jobId } = await begin('a cut boat');
    await until(
      async () => fal.controls.submitsOf('a cut boat'),
      (submits) => submits === 1,
      'submit',
    );
    // The same worker runs the next one from its charge to its end.
    const next = await begin('another boat');
    await next.guest.waitFor(next.jobId, ['completed'], ENDED_MS);
    assert.equal(fal.controls.submitsOf('a cut boat'), 1);
    assert.deepEqual([(await guest.job(jobId)).status, await guest.balance()], ['pending', 10 - PRICE]);
  });

  test('a file that its host does not have yet is asked for again, and delivered', async () => {
    const notYet = { status: 404, text: '<Error><Code>NoSuchKey</Code></Error>' };
    for (const reply of [
      notYet,
      { status: 200, text: '<!doctype html><title>Just a moment</title>' },
      { status: 200 },
    ]) {
      fal.controls.plan({ on: 'media', reply });
    }
    const { guest, jobId } = await begin('a late boat');
    await guest.waitFor(jobId, ['completed'], ENDED_MS);
    assert.equal(await guest.balance(), 10 - PRICE);
  });

  describe('every outcome', { concurrency: true }, () => {
    test('(video) is charged, and the completed file is stored in our own storage and plays from there', async () => {
      const { guest, jobId } = await begin('a paper boat');
      const job = await guest.waitFor(jobId, ['completed', 'failed'], ENDED_MS);
      assert.equal(job.status, 'completed', String(job.error_message));
      assert.equal(await guest.balance(), 10 - PRICE);
      assert.ok(job.video_url && job.thumbnail_url);
      assert.ok(job.video_url.startsWith(server.url));
      const bytes = Buffer.from(await (await fetch(job.video_url)).arrayBuffer());
      assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
    });

    for (const [outcome, code] of [
      ['moderated', 'ERR_5003'],
      ['video_internal', 'ERR_5005'],
      ['no_file', 'ERR_5005'],
      ['timeout', 'ERR_5001'],
    ] as const) {
      test(`(${outcome}) refunds the credits once, with ${code}`, async () => {
        const { guest, jobId } = await begin(`a paper boat [fal:${outcome}]`);
        const job = await guest.waitFor(jobId, ['completed', 'failed'], ENDED_MS);
        assert.deepEqual([job.status, job.error_code], ['failed', code]);
        assert.equal(await guest.balance(), 10);
        assert.deepEqual(
          (await guest.ledger()).map(({ change }) => change),
          [PRICE, -PRICE, 10],
        );
      });
    }
  });
});
