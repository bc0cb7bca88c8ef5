/** The guarantees of the provider port, tested with every provider. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import { createSandboxAdapter } from '../../src/providers/sandbox/index.ts';
import { sandbox } from '../../src/providers/sandbox/manifest.ts';
import { collectingLog, falBench } from '../providers/fal-bench.ts';
import { PRIVATE_IMAGE, runwayBench } from '../providers/runway-bench.ts';
import { type ProviderBench, providerConformance } from './provider-suite.ts';

const NO_IMAGE = { image: null, webhookUrl: null };

for (const [name, providerModelId] of [
  ['fal', 'fal-ai/veo3.1'],
  ['pika', 'fal-ai/pika/v2.2/text-to-video'],
] as const) {
  providerConformance(name, async (t): Promise<ProviderBench> => {
    const bench = await falBench(t, 'inside the process', { timing: { queueMs: 1_000, runMs: 1_000 } });
    const duration = name === 'fal' ? 4 : 5;
    return {
      provider: bench.withOptions({ name }),
      another: () => bench.withOptions({ name }),
      request: { providerModelId, settings: { duration }, ...NO_IMAGE },
      declined: '[fal:moderated]',
      tick: async () => bench.clock.turn(400),
      async read(source) {
        if (source.from !== 'url') throw new Error('fal keeps no files here');
        return new Uint8Array(await (await bench.fetch(source.url)).arrayBuffer());
      },
      logged: () => JSON.stringify(bench.log.lines),
      secret: bench.world.fal.credentials.apiKey,
    };
  });
}

for (const [providerModelId, image] of [
  ['gen4.5', null],
  ['gen4_turbo', PRIVATE_IMAGE],
] as const) {
  providerConformance(`Runway’s ${providerModelId}`, async (t): Promise<ProviderBench> => {
    const bench = await runwayBench(t, 'inside the process', { queueMs: 1_000, runMs: 1_000 });
    return {
      provider: bench.withOptions({}),
      another: () => bench.withOptions({}),
      request: { providerModelId, settings: { duration: 2 }, image, webhookUrl: null },
      declined: '[runway:moderated]',
      tick: async () => bench.clock.turn(400),
      async read(source) {
        if (source.from !== 'url') throw new Error('Runway keeps no files here');
        return new Uint8Array(await (await bench.fetch(source.url)).arrayBuffer());
      },
      logged: () => JSON.stringify(bench.log.lines),
      secret: bench.world.runway.credentials.apiKey,
    };
  });
}

providerConformance('the sandbox', async (t): Promise<ProviderBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-conformance-'));
  const log = collectingLog();
  const opened = new Set<{ close(): Promise<void> }>();
  const open = () => {
    const adapter = createSandboxAdapter({ workDir: folder, log, maxParallel: 1, env: compileCache() });
    const provider = providerOf(sandbox, adapter);
    opened.add(provider);
    return provider;
  };
  t.after(async () => {
    await Promise.all([...opened].map((provider) => provider.close()));
    await rm(folder, { recursive: true, force: true });
  });
  return {
    provider: open(),
    another: open,
    request: { providerModelId: 'sandbox/clip', settings: { duration: 1, resolution: '360p' }, ...NO_IMAGE },
    declined: '[sandbox:fail]',
    tick: () => wait(30),
    async read(source) {
      if (source.from !== 'file') throw new Error('the sandbox keeps its files here');
      return readFile(source.path);
    },
    logged: () => JSON.stringify(log.lines),
    secret: null,
  };
});
