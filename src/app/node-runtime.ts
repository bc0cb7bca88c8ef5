/** Node on a machine: child processes that render and decode, a persistent folder, a connection that listens. */
import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { CreateVerifier } from '../apple/app-store/signed-data.ts';
import { listen } from '../db/listen.ts';
import type { DiskSpace } from '../features/context.ts';
import { createImageCheckPool } from '../media/image-check-pool.ts';
import { createProbe } from '../media/probe.ts';
import { compileCache } from '../platform/compile-cache.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { isOtherProcess } from '../platform/process-ids.ts';
import { measureProcessLoad } from '../platform/process-load.ts';
import { createSandboxAdapter } from '../providers/sandbox/index.ts';
import { sandbox } from '../providers/sandbox/manifest.ts';
import { createApns } from '../push/apns/apns.ts';
import { createProcessMetrics } from './metrics.ts';
import { type CreateRuntime, USER_EVENTS } from './runtime-capabilities.ts';

/** More renders at a time would only make each of them slower. */
const RENDERS_MAX = 2;
const PROBES_MAX = 2;
const IMAGE_CHECKS_MAX = 2;
/** Tasks wait for vendors and for files, hardly ever for the processor. */
const CONCURRENCY = 16;

/** Loaded when a purchase is verified for the first time: a server without purchases needs none of it. */
const createVerifier: CreateVerifier = async (options) =>
  (await import('../apple/app-store/official-verifier.ts')).createOfficialVerifier(options);

export const createNodeRuntime: CreateRuntime = async ({ dataDir, directUrl, log }) => {
  const workDir = await emptyWorkDir(dataDir);
  // Compiling takes a third of the time of a short video.
  const env = compileCache();
  return {
    workDir,
    concurrency: CONCURRENCY,
    pinsIps: true,
    userEvents: await listen({ url: directUrl, channel: USER_EVENTS, log }),
    probe: createProbe({ maxParallel: PROBES_MAX, log, env }),
    imageCheck: createImageCheckPool({ maxParallel: IMAGE_CHECKS_MAX, log, env }),
    createVerifier,
    createMetrics: createProcessMetrics,
    diskSpace: () => diskSpaceOf(dataDir),
    load: measureProcessLoad(),
    createPush: createApns,
    createSandbox: () =>
      createSandboxAdapter({ workDir: join(dataDir, sandbox.name), log, maxParallel: RENDERS_MAX, env }),
  };
};

/** Files of a process that was killed are useless to the next one, which starts their jobs again. */
async function emptyWorkDir(dataDir: string): Promise<string> {
  const work = join(dataDir, 'work');
  await makeFolder(work);
  // Another server or worker may use the same data folder.
  for (const name of await readdir(work)) {
    if (!isOtherProcess(Number(name))) await rm(join(work, name), { recursive: true, force: true });
  }
  const folder = join(work, String(process.pid));
  await makeFolder(folder);
  return folder;
}

/** What an ordinary user of the machine may still write. */
async function diskSpaceOf(folder: string): Promise<DiskSpace> {
  const { bsize, bavail, blocks } = await statfs(folder);
  return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
}
