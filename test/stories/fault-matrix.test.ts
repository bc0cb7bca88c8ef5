/** Every fault of a vendor ends in one charge and one result: a video that plays, or one refund. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createWorld, type World } from '../../sim/world.ts';
import { sweepGenerations } from '../../src/features/generations/worker/sweep.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createMediaFetcher } from '../../src/media/fetch-media.ts';
import { createProbe, type MediaProbe } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { createFalAdapter } from '../../src/providers/fal/index.ts';
import * as falManifests from '../../src/providers/fal/manifest.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import type { ProviderName, VideoProvider } from '../../src/providers/provider.ts';
import { createRunwayAdapter } from '../../src/providers/runway/index.ts';
import * as runwayManifests from '../../src/providers/runway/manifest.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { rememberVerdicts } from '../support/remembered-probe.ts';
import { FAULT_CASES, type FaultCase, type VendorName } from './fault-cases.ts';
import { printTable, type Row } from './fault-table.ts';

/** Rounds of tasks before a generation's deadline is made to pass: more than any fault lasts. */
const ROUNDS_MAX = 14;
/** How much later each round is: a file is asked for again for three minutes. */
const ROUND_SECONDS = { withFaults: 10, withOutcome: 100 };
/** More than any simulated video has; an endless file is read up to here. */
const FILE_BYTES_MAX = 8_000_000;
const STALL_MS = 150;
const ORIGIN = 'http://rendio.test';
const PRICE = 4;
const MODELS = { fal: 'Cinematic', runway: 'Runway Gen-4.5' } as const;

describe('the fault matrix', () => {
  let dataDir: string;
  let world: World;
  let probe: MediaProbe;
  let app: TestApp;
  let hasWebhooks = true;
  const rows: Row[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'rendio-faults-'));
    const deliver: typeof fetch = (input, init) => {
      const { pathname, search } = new URL(input instanceof Request ? input.url : input);
      return app.fetch(pathname + search, init);
    };
    world = await createWorld({ dataDir, clock: systemClock, log: silentLog, deliver });
    // Every job ends through the controls.
    for (const { controls } of [world.fal, world.runway]) controls.setTiming({ queueMs: null, runMs: null });
    world.fal.controls.setWebhookRetryMs(0);
    probe = await rememberVerdicts(createProbe({ maxParallel: 1, log: silentLog, env: compileCache() }));
    const options = { extraHosts: [], extraMayBePrivate: false, bytesMax: FILE_BYTES_MAX, stallMs: STALL_MS };
    const get = (url: URL, signal: AbortSignal) => world.fetch(url, { signal, redirect: 'manual' });
    const fetcher = createMediaFetcher({ ...options, get });
    app = await createTestApp({
      env: { RATE_LIMIT_GENERATIONS_PER_HOUR_PER_ADDRESS: '100000' },
      overrides: {
        probe,
        providers: providersIn(world),
        mediaFetcherFor: () => fetcher,
        callbackUrl: () => (hasWebhooks ? ORIGIN : null),
      },
    });
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    await probe?.close();
    await world?.close();
    await rm(dataDir, { recursive: true, force: true });
    printTable(rows);
  });

  it(`has ${FAULT_CASES.length} different cases`, () => {
    const names = FAULT_CASES.map(nameOf);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.length >= 60);
  });

  for (const faultCase of FAULT_CASES) {
    it(nameOf(faultCase), async () => {
      ({ hasWebhooks } = faultCase);
      const row = await runCase(app, world, faultCase);
      rows.push(row);
      assert.equal(row.ending, faultCase.ending);
      assert.deepEqual([row.charges, row.refunds], [1, faultCase.ending === 'video' ? 0 : 1]);
      assert.ok(row.unknownAttempts <= 1, 'a submit that may have been accepted is not sent again');
      assert.ok(row.billed <= 1, `the vendor started ${row.billed} jobs`);
      await app.assertSound();
    });
  }
});

function nameOf({ vendor, where, what, hasWebhooks, ending }: FaultCase): string {
  const outcome = ending === 'video' ? 'ends as a video' : `refunds the credits, with ${ending}`;
  return `${vendor}, ${where}: ${what}${hasWebhooks ? '' : ', no webhooks'}: ${outcome}`;
}

/** The real adapters, without waits between their attempts. */
function providersIn({ fal, runway, fetch }: World): Map<ProviderName, VideoProvider> {
  const retryTools = { sleep: async () => {}, random: () => 0 };
  const tools = { fetch, clock: systemClock, log: silentLog, retryTools };
  const adapters = {
    fal: createFalAdapter({ name: 'fal', ...fal.credentials, ...fal.urls, ...tools }),
    runway: createRunwayAdapter({ ...runway.credentials, ...runway.urls, ...tools }),
  };
  return new Map<ProviderName, VideoProvider>([
    ['fal', providerOf(falManifests.fal, adapters.fal)],
    ['runway', providerOf(runwayManifests.runway, adapters.runway)],
  ]);
}

/** Runs one generation with its fault until it has ended. */
async function runCase(app: TestApp, world: World, faultCase: FaultCase): Promise<Row> {
  const { vendor, faults = [], webhook, outcome } = faultCase;
  const { controls } = world[vendor];
  for (const panel of [world.fal.controls, world.runway.controls]) panel.clearFaults();
  // Without this, the failures of earlier cases would open the provider's circuit.
  await app.owner.query('delete from provider_circuits');
  for (const fault of faults) controls.plan(fault);
  if (webhook) world.fal.controls.planWebhooks(webhook);
  const prompt = `A heron at dawn${outcome ? ` [${vendor}:${outcome}]` : ''} ${randomUUID()}`;
  const jobsBefore = (await controls.jobs()).length;
  const finished = new Set<string>();
  const userId = await app.user(PRICE);
  const jobId = await generate(app, userId, MODELS[vendor], prompt);

  for (let round = 0; round < ROUNDS_MAX && !(await hasEnded(app, jobId)); round += 1) {
    assert.deepEqual(await app.drain(), []);
    await finishAll(world, jobsBefore, vendor, finished);
    // No task is left and no webhook will come: only the deadline ends the job.
    if ((await app.tasksOf(jobId)).length === 0) break;
    await app.makeAllDue();
    await app.owner.query(
      'update provider_attempts set ended_at = ended_at - make_interval(secs => $2) where job_id = $1',
      [jobId, outcome ? ROUND_SECONDS.withOutcome : ROUND_SECONDS.withFaults],
    );
  }
  if (!(await hasEnded(app, jobId))) {
    await app.expire(jobId);
    await sweepGenerations(app.ctx);
  }
  assert.deepEqual(await app.drain(), []);
  return rowOf(app, faultCase, { userId, jobId, billed: (await controls.jobs()).length - jobsBefore });
}

async function generate(app: TestApp, userId: string, modelName: string, prompt: string): Promise<string> {
  const { rows } = await app.owner.query<{ id: string }>('select id from models where name = $1', [modelName]);
  const response = await app.fetch('/functions/v1/generate-video', {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${await app.tokenOf(userId)}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify({ model_id: rows[0]?.id, prompt, settings: { duration: 4 } }),
  });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body.job_id;
}

async function hasEnded(app: TestApp, jobId: string): Promise<boolean> {
  return ['completed', 'failed'].includes((await app.job(jobId)).status);
}

/** Ends the vendor's jobs, except those that hang; resolves when their webhooks were delivered, withheld or dropped. */
async function finishAll(world: World, jobsBefore: number, vendor: VendorName, finished: Set<string>): Promise<void> {
  const { fal, runway } = world;
  const jobs =
    vendor === 'fal'
      ? (await fal.controls.jobs()).map(({ requestId: id, outcome }) => ({ id, outcome }))
      : await runway.controls.jobs();
  for (const { id, outcome } of jobs.slice(jobsBefore)) {
    if (outcome === 'hang' || finished.has(id)) continue;
    finished.add(id);
    const withheldBefore = fal.controls.withheldEvents();
    let isFinished = false;
    void world[vendor].controls.finish(id).then(() => {
      isFinished = true;
    });
    // A reordered event waits for that of the next generation.
    while (!isFinished && fal.controls.withheldEvents() <= withheldBefore) await new Promise(setImmediate);
  }
}

async function rowOf(
  app: TestApp,
  { vendor, where, what, hasWebhooks }: FaultCase,
  { userId, jobId, billed }: { userId: string; jobId: string; billed: number },
): Promise<Row> {
  const job = await app.job(jobId);
  const ledger = (await app.owner.query<{ reason: string }>('select reason from quota_log where job_id = $1', [jobId]))
    .rows;
  const attempts = await app.attempts(jobId);
  const count = (reason: string) => ledger.filter((entry) => entry.reason === reason).length;
  assert.equal(await app.balance(userId), job.status === 'completed' ? 0 : PRICE);
  return {
    vendor,
    where,
    what: `${what}${hasWebhooks ? '' : ', no webhooks'}`,
    ending: job.status === 'completed' ? 'video' : (job.error_code ?? job.status),
    sent: attempts.length,
    unknownAttempts: attempts.filter(({ state }) => state === 'unknown').length,
    billed,
    charges: count('video_generation'),
    refunds: count('generation_failed_refund'),
  };
}
