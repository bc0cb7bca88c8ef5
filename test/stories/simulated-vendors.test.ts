/** A server without any key: every vendor's models use the simulators inside it, and no other host is called. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { silentLog } from '../../src/kernel/log.ts';
import { createProbe, type MediaProbe } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import type { Model } from '../acceptance/support/answers.ts';
import { call } from '../acceptance/support/api.ts';
import { newGuest } from '../acceptance/support/guest.ts';
import { freePort } from '../acceptance/support/target.ts';
import { newKey } from '../acceptance/support/tokens.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, startTestWorker, type TestServer } from '../support/server.ts';

const ENDED_MS = 40_000;
/** Two frames. */
const SECONDS_OFF_MAX = 0.1;

let folder: string;
let database: TestDatabase;
let probe: MediaProbe;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendio-simulated-'));
  database = await createTestDatabase();
  probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
});
after(async () => {
  await probe?.close();
  await database?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a server whose loaded modules and called hosts are recorded; `seen` returns them. */
async function startWatchedServer(env: Record<string, string>): Promise<TestServer & { seen(): Promise<string[]> }> {
  const file = join(folder, `${crypto.randomUUID()}.seen`);
  const server = await startTestServer({
    env: {
      DATABASE_URL: database.url,
      ...env,
      WATCH_FILE: file,
      NODE_OPTIONS: `--import=${new URL('../support/watch.ts', import.meta.url).href}`,
    },
  });
  return Object.assign(server, {
    seen: async () => [...new Set((await readFile(file, 'utf8')).trim().split('\n'))].sort(),
  });
}

async function modelsOf(server: TestServer): Promise<Model[]> {
  return (await call<{ models: Model[] }>(server.url, 'GET', 'get-models')).body.models;
}

async function bytesAt(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** Requests a video of the model, and waits until the job has ended. */
async function generate(server: TestServer, name: string, request: { prompt?: string; settings: object }) {
  const model = (await modelsOf(server)).find((each) => each.name === name);
  assert.ok(model?.is_simulated, `${name} is available and marked as simulated`);
  const guest = await newGuest(server.url);
  const { job_id, credits_used } = await guest.start({ model_id: model.id, prompt: 'a paper boat', ...request });
  const job = await guest.waitFor(job_id, ['completed', 'failed'], ENDED_MS);
  return { guest, job, job_id, credits_used };
}

/** Generates a video and probes the delivered file. */
async function makeVideo(server: TestServer, name: string, settings: { duration: number; aspect_ratio?: string }) {
  const { guest, job, job_id, credits_used } = await generate(server, name, { settings });
  assert.equal(job.status, 'completed', String(job.error_message));
  assert.equal(await guest.balance(), 10 - credits_used);
  assert.ok(job.video_url && new URL(job.video_url).origin === new URL(server.url).origin, 'from our own storage');
  const path = join(folder, `${job_id}.mp4`);
  await writeFile(path, await bytesAt(job.video_url));
  return probe.probe(path, { thumbnailPath: join(folder, `${job_id}.jpg`) });
}

describe('without any key', () => {
  let server: Awaited<ReturnType<typeof startWatchedServer>>;
  before(async () => {
    server = await startWatchedServer({});
  });
  after(() => server?.stop());

  describe('a video has the requested duration and aspect ratio', { concurrency: true }, () => {
    for (const [name, settings, ratio] of [
      ['Cinematic', { duration: 4, aspect_ratio: '9:16' }, 9 / 16],
      ['Cinematic Fast', { duration: 8, aspect_ratio: '16:9' }, 16 / 9],
      ['Kling', { duration: 5, aspect_ratio: '1:1' }, 1],
      ['Pika', { duration: 10, aspect_ratio: '4:5' }, 4 / 5],
      ['Runway Gen-4.5', { duration: 3, aspect_ratio: '9:16' }, 9 / 16],
    ] as const) {
      test(`${name}, ${settings.duration} s, ${settings.aspect_ratio}`, async () => {
        const video = await makeVideo(server, name, settings);
        assert.ok(Math.abs(video.durationSeconds - settings.duration) < SECONDS_OFF_MAX, `${video.durationSeconds} s`);
        assert.ok(Math.abs(video.width / video.height - ratio) < 0.02, `${video.width} × ${video.height}`);
      });
    }
  });

  test('a file with a redirect or an internal URL is not downloaded from there', async () => {
    for (const outcome of ['video_redirect', 'video_internal']) {
      const request = { prompt: `a paper boat [fal:${outcome}]`, settings: { duration: 5 } };
      const { guest, job } = await generate(server, 'Kling', request);
      assert.deepEqual([job.status, job.error_code, await guest.balance()], ['failed', 'ERR_5005', 10]);
    }
  });

  test('no external host was called, and the banner names the simulated vendors', async () => {
    const seen = await server.seen();
    assert.ok(seen.includes('watches'));
    assert.ok(seen.includes('loads sim/world.ts'));
    assert.deepEqual(
      seen.filter((line) => line.startsWith('reaches ')),
      [],
    );
    assert.match(server.output(), /simulated +APNs, App Store, DeviceCheck, fal, Pika, Runway, Sign in with Apple\b/);
  });
});

test('a separate worker simulates the same vendors as the server: both know the jobs that it submits', async () => {
  await using server = await startTestServer({ env: { DATABASE_URL: database.url, WORKER: 'off' } });
  const env = { DATABASE_URL: database.url, DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
  await using _worker = await startTestWorker({ env });
  const video = await makeVideo(server, 'Kling', { duration: 5 });
  assert.ok(Math.abs(video.durationSeconds - 5) < SECONDS_OFF_MAX);
});

test('a vendor with a key is called for real, while the others stay simulated', async () => {
  await using server = await startWatchedServer({ PIKA_API_KEY: 'key:secret', FAL_QUEUE_URL: 'http://fal.invalid' });
  const simulated = (await modelsOf(server)).filter(({ is_simulated }) => is_simulated);
  assert.deepEqual([...new Set(simulated.map(({ provider }) => provider))].sort(), ['fal', 'runway']);
  const pika = (await modelsOf(server)).find(({ provider }) => provider === 'pika');
  const guest = await newGuest(server.url);
  const { job_id } = await guest.start({ model_id: pika?.id, prompt: 'a paper boat' });
  const calls = async () => (await server.seen()).filter((line) => line.startsWith('reaches '));
  const video = await makeVideo(server, 'Kling', { duration: 5 });
  assert.ok(Math.abs(video.durationSeconds - 5) < SECONDS_OFF_MAX, 'although its URL is configured');
  assert.deepEqual(await calls(), ['reaches fal.invalid']);
  assert.equal((await guest.job(job_id)).status, 'pending', 'an unreachable vendor is not simulated');
  await guest.cancel(job_id);
});

const PRODUCTION = {
  PUBLIC_URL: 'https://api.example.com',
  JWT_PRIVATE_KEY: newKey().pem,
  SECRET_KEY: 'a secret of thirty-two bytes and more',
  APPLE_BUNDLE_ID: 'com.example.app',
  APPLE_TEAM_ID: 'TEAM123456',
  APPLE_DEVICECHECK_KEY_ID: 'KEY1234567',
  APPLE_DEVICECHECK_PRIVATE_KEY: newKey().pem,
  RUNWAY_API_KEY: 'key_secret',
};

for (const [environment, env, providers] of [
  ['staging', {}, ['sandbox']],
  ['production', PRODUCTION, ['runway']],
] as const) {
  test(`in ${environment} no simulator is loaded, its page is not served, and no vendor without a key is available`, async () => {
    const port = String(await freePort());
    await using own = await createTestDatabase();
    const where = { DATABASE_URL: own.url, HOST: '127.0.0.1', PORT: port };
    await using server = await startWatchedServer({ ...env, ENVIRONMENT: environment, ...where });
    const url = `http://127.0.0.1:${port}`;
    const models = await modelsOf({ ...server, url });
    assert.deepEqual([...new Set(models.map(({ provider }) => provider))], providers);
    assert.ok(models.every(({ is_simulated }) => !is_simulated));
    assert.equal((await call(url, 'GET', '/auth/v1/settings')).body.apple_authorize_url, null);
    assert.equal((await call(url, 'GET', '/dev/apple/authorize')).status, 404);
    assert.deepEqual(await server.seen(), ['watches']);
  });
}
