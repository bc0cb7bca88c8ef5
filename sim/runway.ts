import { join } from 'node:path';
import type { Hono } from 'hono';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './cut.ts';
import { createFaults } from './faults.ts';
import type { SharedControls } from './panel.ts';
import type { SimulatorOptions } from './provider-simulator.ts';
import { type RunwayCall, type RunwayOperation, type RunwayParts, runwayApp } from './runway/app.ts';
import { readIdentity } from './runway/identity.ts';
import { MEDIA_HOST } from './runway/media.ts';
import type { Outcome } from './runway/outcome.ts';
import { openTasks, type Task } from './runway/tasks.ts';
import { openUploads, STORAGE_HOST, type Upload } from './runway/uploads.ts';

/** `plan`'s `on` is `submit`, `status`, `cancel`, `upload`, `storage`, `organization`, `media` or `any`. */
export type RunwayControls = Omit<SharedControls<Outcome>, 'jobs' | 'calls'> & {
  /** Oldest first. One for every submit that was taken, answered or not: what Runway would bill. */
  jobs(): Promise<Task[]>;
  /** Oldest first; the last thousand. */
  calls(): RunwayCall[];
  /** How many submits with this prompt reached Runway, taken or not. */
  submitsOf(prompt: string): number;
  /** Oldest first: files that were to be uploaded, whether or not they came. */
  uploads(): Promise<Upload[]>;
  /** Further customers. Nobody sees another's tasks. */
  addApiKey(apiKey: string): void;
  /** What each customer has paid for in all. */
  setCredits(credits: number): void;
  /** Whether a deleted task is not found, as Runway's text has it, or `CANCELLED`, as its types do. */
  setDeleted(form: 'gone' | 'told'): void;
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

/** Runway's API, uploads and media host; tasks and uploads live in `dataDir`, survive restarts, and go on meanwhile. */
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
    wire: { credits: CREDITS, deleted: 'gone' },
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
  const { tasks, uploads, calls, apiKeys, wire } = parts;
  const isSubmitOf = (prompt: string) => (call: RunwayCall) =>
    call.operation === 'submit' && call.input?.promptText === prompt;
  return {
    planOutcomes: tasks.planOutcomes,
    setPace: tasks.setPace,
    start: async (id) => void (await tasks.start(id)),
    finish: async (id) => void (await tasks.finish(id)),
    jobs: tasks.list,
    calls: calls.list,
    submitsOf: (prompt) => calls.list().filter(isSubmitOf(prompt)).length,
    uploads: uploads.list,
    addApiKey: (apiKey) => void apiKeys.add(apiKey),
    setCredits(credits) {
      wire.credits = credits;
    },
    setDeleted(form) {
      wire.deleted = form;
    },
  };
}
