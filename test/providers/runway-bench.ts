/** Connects Runway's adapter with Runway's simulator, inside this process or over a port. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { withRunwayControls } from '../../sim/runway/controls.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld } from '../../sim/world.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import type { GenerationRequest, SourceImage } from '../../src/providers/provider.ts';
import { createRunwayAdapter, type RunwayOptions } from '../../src/providers/runway/index.ts';
import * as manifests from '../../src/providers/runway/manifest.ts';
import { collectingLog, IMAGE, manualClock, requestFor, type Transport } from './fal-bench.ts';

/** The beginning of a PNG, larger than the smallest file that Runway accepts (512 bytes). */
export const PNG = Uint8Array.from([0x89, ...Buffer.from('PNG\r\n\x1a\n'), ...new Uint8Array(600)]);

/** An image without a public URL. */
export const PRIVATE_IMAGE: SourceImage = { ...IMAGE, url: null, load: async () => PNG.slice() };

export function runwayRequest(changed: Partial<GenerationRequest> = {}): GenerationRequest {
  const settings = { duration: 4, aspect_ratio: '16:9' };
  return requestFor({ providerModelId: 'gen4.5', settings, ...changed });
}

export function imageRequest(changed: Partial<GenerationRequest> = {}): GenerationRequest {
  return runwayRequest({ providerModelId: 'gen4_turbo', image: PRIVATE_IMAGE, ...changed });
}

type Timing = { queueMs: number | null; runMs: number | null };

/** Without a `timing`, a task changes its state only through the controls. Waits do not sleep: `waits` records them. */
export async function runwayBench(t: TestContext, transport: Transport = 'inside the process', timing?: Timing) {
  const dataDir = await mkdtemp(join(tmpdir(), 'runway-'));
  const clock = manualClock();
  const log = collectingLog();
  const world = await createWorld({ dataDir, clock, log });
  const { runway } = world;
  const { controls } = runway;
  controls.setTiming(timing ?? { queueMs: null, runMs: null });
  const served = transport === 'over a port' ? await serveSimulator(withRunwayControls(runway)) : undefined;
  t.after(async () => {
    await world.close();
    await served?.close();
    await rm(dataDir, { recursive: true });
  });
  const waits: number[] = [];
  const runwayOptions: RunwayOptions = {
    apiKey: runway.credentials.apiKey,
    baseUrl: served?.url ?? runway.urls.baseUrl,
    fetch: served ? fetch : world.fetch,
    retryTools: { sleep: async (ms: number) => void waits.push(ms), random: () => 0 },
    ...{ clock, log },
  };
  const withOptions = (changed: Partial<RunwayOptions>) =>
    providerOf(manifests.runway, createRunwayAdapter({ ...runwayOptions, ...changed }));
  const provider = withOptions({});
  const signal = AbortSignal.timeout(20_000);

  /** Submits the job and returns its id; throws where Runway does not accept it. */
  async function accepted(request: GenerationRequest): Promise<string> {
    const answer = await provider.submit(request, signal);
    if (answer.outcome !== 'accepted') throw new Error(`${answer.outcome}: ${answer.cause}`);
    return answer.providerJobId;
  }
  /** Submits a job and lets it end; returns its id. */
  async function ended(request: GenerationRequest): Promise<string> {
    const id = await accepted(request);
    await controls.finish(id);
    return id;
  }
  return {
    ...{ provider, withOptions, accepted, ended, signal, waits, clock, log, world, controls, served, dataDir },
    fetch: runwayOptions.fetch,
    baseUrl: runwayOptions.baseUrl,
  };
}
