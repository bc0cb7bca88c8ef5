import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './cut.ts';
import { type FalCall, type FalOperation, type FalParts, falApp } from './fal/app.ts';
import { newSigningKey, readIdentity } from './fal/identity.ts';
import type { Outcome } from './fal/outcome.ts';
import { createQueue } from './fal/queue.ts';
import { type Job, KEPT_MS, openJobStore } from './fal/store.ts';
import { createUploads } from './fal/uploads.ts';
import { createWatch } from './fal/watch.ts';
import { createWebhooks, type Delivery, type Forgery, type SignedEvent, type WebhookFault } from './fal/webhooks.ts';
import { createFaults, type FaultInput } from './faults.ts';
import type { Pace } from './pace.ts';
import type { SimulatorOptions } from './provider-simulator.ts';

export type FalControls = {
  /** Spoils what comes next; `on` is `submit`, `status`, `result`, `cancel`, `jwks`, `media`, `upload` or `any`. */
  plan(fault: FaultInput): void;
  /** What goes wrong with the next webhooks, in this order. */
  planWebhooks(...faults: WebhookFault[]): void;
  clearFaults(): void;
  /** What becomes of the next jobs; else their prompts decide. */
  planOutcomes(...outcomes: Outcome[]): void;
  /** Of the jobs to come; null waits for `start` and `finish`. */
  setPace(pace: Partial<Pace>): void;
  setWebhookRetryMs(ms: number): void;
  start(requestId: string): Promise<void>;
  /** Ends the job as its outcome says, and resolves when its webhook was taken, or will be taken no more. */
  finish(requestId: string): Promise<void>;
  /** Oldest first. One for every submit that was taken, answered or not: what fal would bill. */
  jobs(): Promise<Job[]>;
  /** Oldest first; the last thousand. */
  calls(): FalCall[];
  /** How many submits with this prompt reached fal, taken or not. */
  submitsOf(prompt: string): number;
  deliveries(): Delivery[];
  /** How many events wait to be overtaken by the next one. */
  withheldEvents(): number;
  /** An event as fal would sign it, or as somebody would forge it. */
  sign(body: string, options?: { requestId?: string; forgery?: Forgery }): SignedEvent;
  /** Signs with a new key from now on; the old one goes on being published if `keepOld`. */
  rotateKeys(options: { keepOld: boolean }): void;
  /** Further customers. Nobody sees another's jobs. */
  addApiKey(apiKey: string): void;
  /** Which of the two documented forms of `response_url` is given. */
  setResponseForm(form: 'short' | 'long'): void;
  /** Whether unfinished jobs are answered with 202 or with 200. */
  setPendingStatus(status: 200 | 202): void;
};

export type FalSimulator = {
  /** The vendor's own, which the adapter calls. */
  urls: { queueUrl: string; restUrl: string };
  hosts: string[];
  app: Hono<SimulatorEnv>;
  credentials: { apiKey: string };
  controls: FalControls;
  close(): Promise<void>;
};

const QUEUE_HOST = 'queue.fal.run';
const REST_HOST = 'rest.fal.ai';
const HOSTS = [QUEUE_HOST, REST_HOST, 'v3.fal.media', 'v3b.fal.media', 'fal.media'];
/** fal's queue, webhooks and media host; the jobs live in `dataDir`, survive restarts, and go on while nobody is there. */
export async function createFalSimulator(options: SimulatorOptions): Promise<FalSimulator> {
  const { dataDir, clock, log, deliver } = options;
  const folder = join(dataDir, 'simulators', 'fal');
  const store = await openJobStore(join(folder, 'jobs'));
  const identity = await readIdentity(join(folder, 'identity.json'));
  const stopping = new AbortController();
  const closing = stopping.signal;
  const queue = createQueue(store, clock);
  const webhooks = createWebhooks({ identity, deliver, clock, log, closing });
  const watching = createWatch({ store, queue, webhooks, log, closing });
  const faults = createFaults();

  await store.forgetBefore(queue.nowMs() - KEPT_MS);
  for (const job of await store.list()) if (!job.isTold) void watching.watch(job);

  const parts: FalParts = {
    ...{ store, queue, webhooks, faults, identity, log, closing },
    watch: watching.watch,
    uploads: createUploads(join(folder, 'uploads')),
    apiKeys: new Set([identity.apiKey]),
    calls: createCallLog<FalOperation>(faults),
    wire: { form: 'long', pendingStatus: 202 },
  };
  return {
    urls: { queueUrl: `https://${QUEUE_HOST}`, restUrl: `https://${REST_HOST}` },
    hosts: HOSTS,
    app: falApp(parts),
    credentials: { apiKey: identity.apiKey },
    controls: controlsOf(parts),
    async close() {
      stopping.abort();
      faults.close();
      await watching.close();
    },
  };
}

function controlsOf({ store, queue, webhooks, faults, identity, watch, apiKeys, calls, wire }: FalParts): FalControls {
  return {
    plan: faults.plan,
    planWebhooks: webhooks.plan,
    clearFaults() {
      faults.clear();
      webhooks.clear();
    },
    planOutcomes: queue.planOutcomes,
    setPace: queue.setPace,
    setWebhookRetryMs: webhooks.setRetryMs,
    async start(requestId) {
      await queue.start(requestId);
    },
    finish: async (requestId) => watch(await queue.finish(requestId)),
    jobs: store.list,
    calls: calls.list,
    submitsOf: (prompt) =>
      calls.list().filter((call) => call.operation === 'submit' && call.input?.prompt === prompt).length,
    deliveries: webhooks.deliveries,
    withheldEvents: webhooks.withheld,
    sign: (body, { requestId = randomUUID(), forgery } = {}) => webhooks.signed(body, requestId, forgery),
    rotateKeys({ keepOld }) {
      identity.signingKeys = [...(keepOld ? identity.signingKeys : []), newSigningKey()];
    },
    addApiKey: (apiKey) => void apiKeys.add(apiKey),
    setResponseForm(form) {
      wire.form = form;
    },
    setPendingStatus(status) {
      wire.pendingStatus = status;
    },
  };
}
