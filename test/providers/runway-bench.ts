/** Runway's adapter and Runway's simulator face to face, inside this process or over a port. */
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
import { collectingLog, type Door, PICTURE, requestFor, turnableClock } from './fal-bench.ts';

/** The beginning of a PNG, as long as the smallest file that Runway takes. */
export const PNG = Uint8Array.from([0x89, ...Buffer.from('PNG\r\n\x1a\n'), ...new Uint8Array(600)]);

/** A picture that nobody outside can reach. */
export const HIDDEN_PICTURE: SourceImage = { ...PICTURE, url: null, load: async () => PNG.slice() };

export function runwayRequest(changed: Partial<GenerationRequest> = {}): GenerationRequest {
  const settings = { duration: 4, aspect_ratio: '16:9' };
  return requestFor({ providerModelId: 'gen4.5', settings, ...changed });
}

export function pictureRequest(changed: Partial<GenerationRequest> = {}): GenerationRequest {
  return runwayRequest({ providerModelId: 'gen4_turbo', image: HIDDEN_PICTURE, ...changed });
}

type Pace = { queueMs: number | null; runMs: number | null };

/** Tasks stand still until they are moved, unless another pace is asked for. Nobody sleeps: waits are noted down. */
export async function runwayBench(t: TestContext, door: Door = 'inside the process', pace?: Pace) {
  const dataDir = await mkdtemp(join(tmpdir(), 'runway-'));
  const clock = turnableClock();
  const log = collectingLog();
  const world = await createWorld({ dataDir, clock, log });
  const { runway } = world;
  const { controls } = runway;
  controls.setTiming(pace ?? { queueMs: null, runMs: null });
  const served = door === 'over a port' ? await serveSimulator(withRunwayControls(runway)) : undefined;
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

  /** Takes the job, and fails where Runway did not. */
  async function accepted(request: GenerationRequest): Promise<string> {
    const answer = await provider.submit(request, signal);
    if (answer.outcome !== 'accepted') throw new Error(`${answer.outcome}: ${answer.cause}`);
    return answer.providerJobId;
  }
  /** A job whose outcome is decided, and that has come to its end. */
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
