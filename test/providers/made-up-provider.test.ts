/** A new provider is added by its manifest alone. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { inspect } from 'node:util';
import { type Served, serveSimulator } from '../../sim/serve.ts';
import { callbackUrls } from '../../src/app/callback-url.ts';
import { readConfig } from '../../src/app/config.ts';
import { startSimulation } from '../../src/entry/simulation.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';
import { MANIFESTS } from '../../src/providers/manifests.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { requestFor } from './fal-bench.ts';
import { loom } from './made-up/manifest.ts';
import { createLoomSimulator, type LoomSimulator, VIDEO } from './made-up/simulator.ts';

const manifests = [...MANIFESTS, loom];
const KEYS = { LOOM_ACCOUNT: 'acc_x', LOOM_SECRET: 'sec_x' };
const LOCAL_URL = 'http://127.0.0.1:8787';
const PRICE = 3;

async function configErrorsOf(env: Record<string, string>): Promise<string[]> {
  const error = await readConfig(env, { manifests }).then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StartupError, String(error));
  return error.message.split('\n').slice(1);
}

describe('the configuration of a made-up provider', () => {
  test('its variables are read, and its credentials are secret', async () => {
    const config = await readConfig({ ...KEYS, LOOM_API_URL: 'http://127.0.0.1:9/loom/' }, { manifests });
    assert.deepEqual(config.settings.providers.loom, { apiUrl: 'http://127.0.0.1:9/loom' });
    assert.equal(config.secrets.providers.loom?.secret?.reveal(), 'sec_x');
    assert.doesNotMatch(JSON.stringify(config) + inspect(config, { depth: null }), /acc_x|sec_x/);
    assert.deepEqual((await readConfig({}, { manifests })).settings.providers.loom, {
      apiUrl: 'https://api.loom.example',
    });
  });

  test('an invalid value is reported with an example, in the order of the configuration', async () => {
    const lines = await configErrorsOf({
      LOOM_API_URL: 'loom',
      LOOM_ACCOUNT: 'a b',
      LOOM_SECRET: 'x',
      PORT: 'x',
      S3_REGION: 'x',
    });
    assert.deepEqual(
      lines.map((line) => line.trim().split(' ')[0]),
      ['PORT', 'LOOM_ACCOUNT', 'S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'LOOM_API_URL'],
    );
    assert.equal(lines[1], '  LOOM_ACCOUNT must be printable ASCII without spaces. Example: LOOM_ACCOUNT=acc_…');
  });

  test('its credentials are complete or absent', async () => {
    assert.deepEqual(await configErrorsOf({ LOOM_SECRET: 'sec_x' }), [
      '  LOOM_ACCOUNT is missing: LOOM_SECRET cannot be used without it. Example: LOOM_ACCOUNT=acc_…',
    ]);
  });

  test('production may have it as its only provider, and names it where no provider is configured', async () => {
    const lines = await configErrorsOf({ ENVIRONMENT: 'production' });
    const line = lines.find((each) => each.includes('FALAI_API_KEY'));
    assert.match(line ?? '', /so this, RUNWAY_API_KEY, PIKA_API_KEY, LOOM_ACCOUNT or LOOM_SECRET\./);
    const withKeys = await configErrorsOf({ ENVIRONMENT: 'production', ...KEYS });
    assert.equal(withKeys.length, lines.length - 1);
    assert.doesNotMatch(withKeys.join(), /production needs a provider/);
  });

  test('it is simulated only in development, and only while none of its credentials is set', async () => {
    const isSimulated = async (env: Record<string, string>) =>
      (await readConfig(env, { manifests })).settings.simulated.loom;
    assert.equal(await isSimulated({}), true);
    assert.equal(await isSimulated(KEYS), false);
    assert.equal(await isSimulated({ ENVIRONMENT: 'staging' }), false);
  });
});

test('its callback URL depends on its API’s URL', () => {
  const callbackUrl = (apiUrl: string, publicUrl?: string, isSimulated = false) => {
    const connection = { credentials: {}, urls: { apiUrl }, fetch };
    const providers = new Map([['loom', { manifest: loom, connection, isSimulated }]]);
    return callbackUrls({ publicUrl, providers, localUrl: () => LOCAL_URL })({ name: 'loom' });
  };
  const [REAL, LOCAL_API, PUBLIC] = ['https://api.loom.example', 'http://127.0.0.1:9', 'https://api.example.com'];
  assert.equal(callbackUrl(REAL), null);
  assert.equal(callbackUrl(REAL, PUBLIC), PUBLIC);
  assert.equal(callbackUrl(REAL, 'http://10.0.0.1'), null);
  assert.equal(callbackUrl(LOCAL_API), LOCAL_URL);
  assert.equal(callbackUrl(REAL, PUBLIC, true), LOCAL_URL);
});

test('without credentials its simulator replaces it, and the banner names it', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'loom-'));
  const simulators = { loom: createLoomSimulator };
  const config = await readConfig({}, { manifests });
  const options = { manifests, simulators, dataDir, clock: systemClock, log: silentLog };
  const simulation = await startSimulation(config, options);
  t.after(async () => {
    await simulation.close();
    await rm(dataDir, { recursive: true });
  });
  assert.deepEqual(simulation.names, [
    'APNs',
    'App Store',
    'DeviceCheck',
    'fal',
    'Loom',
    'Pika',
    'Runway',
    'Sign in with Apple',
  ]);
  const access = simulation.connections.providers.get('loom');
  assert.ok(access?.isSimulated);
  const createSandbox = () => assert.fail('the sandbox must not be created');
  const adapter = await access.manifest.createAdapter(access.connection, {
    ...{ clock: systemClock, log: silentLog, createSandbox, onRefusedKey: () => {} },
  });
  const answer = await adapter.submit(requestFor(), AbortSignal.timeout(5_000));
  assert.equal(answer.outcome, 'accepted');
});

describe('a video of a made-up provider', () => {
  let loomSimulator: LoomSimulator;
  let served: Served;
  let app: TestApp;
  before(async () => {
    loomSimulator = await createLoomSimulator({
      deliver: (input, init) => {
        const { origin, pathname, search } = new URL(String(input));
        assert.equal(origin, LOCAL_URL);
        return app.fetch(pathname + search, init);
      },
    });
    served = await serveSimulator(loomSimulator.app);
    const { account, secret } = loomSimulator.credentials;
    app = await createTestApp({
      manifests,
      localUrl: LOCAL_URL,
      env: {
        ...{ LOOM_ACCOUNT: account ?? '', LOOM_SECRET: secret ?? '', LOOM_API_URL: served.url },
        MEDIA_ALLOWED_HOSTS: new URL(served.url).host,
      },
    });
    await app.owner.query(
      `insert into models (name, category, description, cost_per_generation, provider, provider_model_id, settings_schema)
       values ('Loom One', 'creative', 'Made up.', $1, 'loom', 'one', '{"type": "object", "properties": {}}')`,
      [PRICE],
    );
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await served?.close();
  });

  async function begin(): Promise<{ userId: string; jobId: string }> {
    const userId = await app.user(PRICE);
    const jobId = await app.generate(userId, { model: 'Loom One', settings: { duration: 5 } });
    assert.deepEqual(await app.drain(), []);
    return { userId, jobId };
  }

  async function assertDelivered({ userId, jobId }: { userId: string; jobId: string }): Promise<void> {
    const job = await app.job(jobId);
    assert.equal(job.status, 'completed', JSON.stringify(job));
    assert.equal(await readFile(join(app.dataDir, 'media', 'videos', job.video_url ?? ''), 'utf8'), VIDEO);
    assert.equal(await app.balance(userId), 0);
    await app.assertSound();
  }

  it('is listed among the models, as the sandbox is', async () => {
    const { models } = await (await app.fetch('/functions/v1/get-models')).json();
    const providers = models.map(({ provider }: { provider: string }) => provider).sort();
    assert.deepEqual(providers, ['loom', 'sandbox']);
  });

  it('is delivered by polling', async () => {
    const begun = await begin();
    const order = loomSimulator.orders().at(-1);
    assert.deepEqual([order?.seconds, (await app.job(begun.jobId)).provider_job_id], [5, order?.ticket]);
    assert.equal((await app.job(begun.jobId)).status, 'processing');
    if (order) order.isDone = true;
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    await assertDelivered(begun);
  });

  it('is delivered by its webhook, whose URL names the sender; one with a wrong signature is rejected', async () => {
    const begun = await begin();
    const { notify, ticket } = loomSimulator.orders().at(-1) ?? assert.fail();
    assert.equal(notify, `${LOCAL_URL}/functions/v1/webhook-delivery?provider=loom-events&job=${begun.jobId}`);
    const { pathname, search } = new URL(notify);
    const forged = { method: 'POST', headers: { 'x-loom-signature': 'x' }, body: JSON.stringify({ ticket }) };
    assert.equal((await app.fetch(pathname + search, forged)).status, 401);
    assert.deepEqual(await loomSimulator.finish(), [200]);
    assert.deepEqual(await app.drain(), []);
    await assertDelivered(begun);
  });
});
