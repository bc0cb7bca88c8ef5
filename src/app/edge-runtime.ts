/** Deno, on a server or in an edge function: no child processes, no native code, a temporary folder, few connections. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenOnDemand } from '../db/listen.ts';
import { createContainerProbe } from '../media/container-probe.ts';
import { createRemoteSandbox } from '../providers/sandbox/remote.ts';
import { type CreateRuntime, USER_EVENTS } from './runtime-capabilities.ts';

/** Tasks wait for vendors; a few at once keep within an isolate's memory. */
const WORK_PLACES = 4;

export const createEdgeRuntime: CreateRuntime = async ({ directUrl, log }) => ({
  // Made by whoever puts a file into it. Two isolates of one machine share it: its files have names of their own.
  workDir: join(tmpdir(), 'rendio-work'),
  concurrency: WORK_PLACES,
  pinsAddresses: false,
  userEvents: listenOnDemand({ url: directUrl, channel: USER_EVENTS, log }),
  probe: createContainerProbe(),
  createSandbox: createRemoteSandbox,
});
