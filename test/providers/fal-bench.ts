/** Connects fal's adapter with fal's simulator, inside this process or over a port. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { withFalControls } from '../../sim/fal/controls.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld } from '../../sim/world.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { createFalAdapter, type FalOptions } from '../../src/providers/fal/index.ts';
import { fal as falManifest, pika as pikaManifest } from '../../src/providers/fal/manifest.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import type {
  GenerationRequest,
  ProviderStatus,
  SourceImage,
  SubmitOutcome,
  VideoProvider,
  VideoSettings,
} from '../../src/providers/provider.ts';
import { until } from '../media/until.ts';

export type Transport = 'inside the process' | 'over a port';
export const TRANSPORTS: readonly Transport[] = ['inside the process', 'over a port'];

export type Line = { level: string; fields: object; message: string };

export function collectingLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function manualClock(): Clock & { turn(ms: number): void } {
  let nowMs = Date.UTC(2026, 10, 22, 12);
  return {
    now: () => new Date(nowMs),
    turn: (ms) => {
      nowMs += ms;
    },
  };
}

/** The user's prompt: it must never be in a log. */
export const PROMPT = 'A heron made of "glass" crosses the frozen lake\nat dawn';
export const IMAGE_URL = 'https://media.example/user_uploads/heron.png?token=a-secret-of-ours';

export const IMAGE: SourceImage = {
  url: IMAGE_URL,
  contentType: 'image/png',
  fileName: 'heron.png',
  load: async () => new Uint8Array(),
};

export function requestFor(changed: Partial<GenerationRequest> & { settings?: VideoSettings } = {}): GenerationRequest {
  return {
    jobId: randomUUID(),
    providerModelId: 'fal-ai/veo3.1',
    prompt: PROMPT,
    settings: { duration: 4, resolution: '720p', aspect_ratio: '16:9' },
    image: null,
    webhookUrl: null,
    ...changed,
  };
}

export type BenchOptions = { deliver?: typeof fetch; timing?: { queueMs: number | null; runMs: number | null } };

/** Without a `timing`, a job changes its state only through the controls. Waits do not sleep: `waits` records them. */
export async function falBench(
  t: TestContext,
  transport: Transport = 'inside the process',
  options: BenchOptions = {},
) {
  const { deliver = noWebhooks, timing = { queueMs: null, runMs: null } } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'fal-'));
  const clock = manualClock();
  const log = collectingLog();
  const world = await createWorld({ dataDir, clock, log, deliver });
  const { fal } = world;
  fal.controls.setTiming(timing);
  const served = transport === 'over a port' ? await serveSimulator(withFalControls(fal)) : undefined;
  t.after(async () => {
    await world.close();
    await served?.close();
    await rm(dataDir, { recursive: true });
  });
  const waits: number[] = [];
  const retryTools = { sleep: async (ms: number) => void waits.push(ms), random: () => 0 };
  const falOptions: FalOptions = {
    name: 'fal',
    apiKey: fal.credentials.apiKey,
    queueUrl: served?.url ?? fal.urls.queueUrl,
    restUrl: served?.url ?? fal.urls.restUrl,
    fetch: served ? fetch : world.fetch,
    ...{ clock, log, retryTools },
  };
  const withOptions = (changed: Partial<FalOptions>) => {
    const options = { ...falOptions, ...changed };
    return providerOf(options.name === 'pika' ? pikaManifest : falManifest, createFalAdapter(options));
  };
  const signal = AbortSignal.timeout(20_000);

  /** Submits the job and returns its id; throws where fal does not accept it. */
  async function accepted(request: GenerationRequest): Promise<string> {
    const answer = await provider.submit(request, signal);
    if (answer.outcome !== 'accepted') throw new Error(`${answer.outcome}: ${answer.cause}`);
    return answer.providerJobId;
  }
  /** Submits a job and lets it end; returns its id. */
  async function ended(request: GenerationRequest): Promise<string> {
    const id = await accepted(request);
    await fal.controls.finish(id);
    return id;
  }
  const provider = withOptions({});
  return {
    provider,
    withOptions,
    accepted,
    ended,
    signal,
    waits,
    clock,
    log,
    world,
    controls: fal.controls,
    served,
    dataDir,
    fetch: falOptions.fetch,
  };
}

const noWebhooks: typeof fetch = async () => {
  throw new TypeError('fetch failed', { cause: new Error('no webhook is expected here') });
};

/** Collects all log lines and causes; after the file's last test, checks that they contain no secret and no prompt. */
export function createLeakCheck(
  ...secrets: string[]
): (bench: { log: { lines: Line[] } }, answer: SubmitOutcome | ProviderStatus) => void {
  const written: unknown[] = [];
  after(() => {
    assert.ok(written.length > 50, 'log lines and causes were collected');
    // The name of an event, which looks like the beginning of a key.
    const text = JSON.stringify(written).replaceAll('vendor_key_refused', '');
    for (const secret of ['heron', 'frozen lake', 'a-secret-of-ours', ':simulated', ...secrets])
      assert.ok(!text.includes(secret), secret);
  });
  return ({ log }, answer) => void written.push(...log.lines.splice(0), 'cause' in answer ? answer.cause : null);
}

/** Submits, and gives up as soon as the vendor has received the request. */
export async function submitAndLeave(
  { provider, controls }: { provider: Pick<VideoProvider, 'submit'>; controls: { submitsOf(prompt: string): number } },
  request: GenerationRequest,
): Promise<SubmitOutcome> {
  const leaving = new AbortController();
  const answer = provider.submit(request, leaving.signal);
  await until(() => controls.submitsOf(request.prompt) > 0);
  leaving.abort();
  return answer;
}

/** An MP4 begins with its ftyp box. */
export function isMp4(bytes: ArrayBuffer): boolean {
  return Buffer.from(bytes).subarray(4, 8).toString() === 'ftyp';
}
