/** Deno, on a server or in an edge function: no child processes, no native code, a temporary folder, few connections. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateVerifier } from '../apple/app-store/signed-data.ts';
import { listenOnDemand } from '../db/listen.ts';
import { createContainerProbe } from '../media/container-probe.ts';
import { createImageCheckHere } from '../media/image-check.ts';
import { createRemoteSandbox } from '../providers/sandbox/remote.ts';
import { type CreateRuntime, USER_EVENTS } from './runtime-capabilities.ts';

/** Tasks wait for vendors; a few at a time fit into an isolate's memory. */
const CONCURRENCY = 4;

/** Loaded when a purchase is verified for the first time: most functions never do. */
const createVerifier: CreateVerifier = async (options) =>
  (await import('../apple/app-store/portable-verifier.ts')).createPortableVerifier(options);

export const createEdgeRuntime: CreateRuntime = async ({ directUrl, log }) => ({
  // Created with the first file in it. Two isolates of one machine share it: file names are unique.
  workDir: join(tmpdir(), 'rendio-work'),
  concurrency: CONCURRENCY,
  pinsIps: false,
  userEvents: listenOnDemand({ url: directUrl, channel: USER_EVENTS, log }),
  probe: createContainerProbe(),
  imageCheck: createImageCheckHere(),
  createVerifier,
  createMetrics: null,
  diskSpace: null,
  load: null,
  createPush: null,
  createSandbox: createRemoteSandbox,
});
