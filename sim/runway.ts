import { join } from 'node:path';
import type { Hono } from 'hono';
import { createCallLog } from './call-log.ts';
import type { SharedControls } from './controls.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { createFaults } from './faults.ts';
import type { SimulatorOptions } from './provider-simulator.ts';
import { type RunwayCall, type RunwayOperation, type RunwayParts, runwayApp } from './runway/app.ts';
import { readIdentity } from './runway/identity.ts';
import { MEDIA_HOST } from './runway/media.ts';
import type { Outcome } from './runway/outcome.ts';
import { openTasks, type Task } from './runway/tasks.ts';
import { openUploads, STORAGE_HOST, type Upload } from './runway/uploads.ts';

/** `plan`'s `on` is `submit`, `status`, `cancel`, `upload`, `storage`, `organization`, `media` or `any`. */
export type RunwayControls = Omit<SharedControls<Outcome>, 'jobs' | 'calls'> & {
  /** Oldest first. One for every accepted submit, whether its reply arrived or not: what Runway would bill. */
  jobs(): Promise<Task[]>;
  /** Oldest first; the last thousand. */
  calls(): RunwayCall[];
  /** How many submits with this prompt reached Runway, accepted or not. */
  submitsOf(prompt: string): number;
  /** Oldest first: the uploads that were begun, whether their files arrived or not. */
  uploads(): Promise<Upload[]>;
  /** Another customer, who does not see the others' tasks. */
  addApiKey(apiKey: string): void;
  /** How many credits each customer has bought in all. */
  setCredits(credits: number): void;
  /** How a deleted task is answered: not found, as Runway's documentation says, or `CANCELLED`, as its types say. */
  setDeletedReply(reply: 'not_found' | 'cancelled'): void;
};

export type RunwaySimulator = {
  /** The vendor's own, which the adapter calls. */
  urls: { baseUrl: string };
  hosts: string[];
  app: Hono<SimulatorEnv>;
  credentials: { apiKey: string };
  controls: RunwayControls;
  close(): Promise<void>;
};

const API_HOST = 'api.dev.runwayml.com';
const CREDITS = 1_000_000;

/**
 * Runway's API, uploads and media host. Tasks and uploads are files in `dataDir`: they survive a restart, and time goes on
 * meanwhile.
 */
export async function createRunwaySimulator(options: Omit<SimulatorOptions, 'deliver'>): Promise<RunwaySimulator> {
  const { dataDir, clock, log } = options;
  const folder = join(dataDir, 'simulators', 'runway');
  const { apiKey, signingKey } = await readIdentity(join(folder, 'identity.json'));
  const tasks = await openTasks(join(folder, 'tasks'), clock);
  const uploads = await openUploads(join(folder, 'uploads'), signingKey, tasks.nowMs);
  const stopping = new AbortController();
  const faults = createFaults();
  const parts: RunwayParts = {
    ...{ tasks, uploads, signingKey, log, closing: stopping.signal },
    calls: createCallLog<RunwayOperation>(faults),
    apiKeys: new Set([apiKey]),
    variants: { credits: CREDITS, deletedReply: 'not_found' },
  };
  return {
    urls: { baseUrl: `https://${API_HOST}` },
    hosts: [API_HOST, MEDIA_HOST, STORAGE_HOST],
    app: runwayApp(parts),
    credentials: { apiKey },
    controls: { ...controlsOf(parts), plan: faults.plan, clearFaults: faults.clear },
    async close() {
      stopping.abort();
      faults.close();
    },
  };
}

function controlsOf(parts: RunwayParts): Omit<RunwayControls, 'plan' | 'clearFaults'> {
  const { tasks, uploads, calls, apiKeys, variants } = parts;
  const isSubmitOf = (prompt: string) => (call: RunwayCall) =>
    call.operation === 'submit' && call.input?.promptText === prompt;
  return {
    planOutcomes: tasks.planOutcomes,
    setTiming: tasks.setTiming,
    start: async (id) => void (await tasks.start(id)),
    finish: async (id) => void (await tasks.finish(id)),
    jobs: tasks.list,
    calls: calls.list,
    submitsOf: (prompt) => calls.list().filter(isSubmitOf(prompt)).length,
    uploads: uploads.list,
    addApiKey: (apiKey) => void apiKeys.add(apiKey),
    setCredits(credits) {
      variants.credits = credits;
    },
    setDeletedReply(reply) {
      variants.deletedReply = reply;
    },
  };
}
