import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { type FalCall, type FalOperation, type FalParts, falApp } from './fal/app.ts';
import type { Delivery } from './fal/deliveries.ts';
import { newSigningKey, readIdentity } from './fal/identity.ts';
import { createNotifier } from './fal/notifier.ts';
import type { Outcome } from './fal/outcome.ts';
import { createQueue } from './fal/queue.ts';
import type { SignedEvent } from './fal/sign-event.ts';
import { type Job, KEPT_MS, openJobStore } from './fal/store.ts';
import { createUploads } from './fal/uploads.ts';
import type { Forgery, WebhookFault } from './fal/webhook-faults.ts';
import { createWebhooks } from './fal/webhooks.ts';
import { createFaults, type FaultInput } from './faults.ts';
import type { SimulatorOptions } from './provider-simulator.ts';
import type { Timing } from './timing.ts';

export type FalControls = {
  /** A fault of the next requests; `on` is `submit`, `status`, `result`, `cancel`, `jwks`, `media`, `upload` or `any`. */
  plan(fault: FaultInput): void;
  /** What goes wrong with the next webhooks, in this order. */
  planWebhooks(...faults: WebhookFault[]): void;
  clearFaults(): void;
  /** How the next jobs end; without a plan their prompts decide. */
  planOutcomes(...outcomes: Outcome[]): void;
  /** For the jobs submitted from now on. Null: they wait for `start` and `finish`. */
  setTiming(timing: Partial<Timing>): void;
  setWebhookRetryMs(ms: number): void;
  start(requestId: string): Promise<void>;
  /** Ends the job as its outcome says. Resolves when its webhook was accepted, or is not sent any more. */
  finish(requestId: string): Promise<void>;
  /** Oldest first. One for every accepted submit, whether its reply arrived or not: what fal would bill. */
  jobs(): Promise<Job[]>;
  /** Oldest first; the last thousand. */
  calls(): FalCall[];
  /** How many submits with this prompt reached fal, accepted or not. */
  submitsOf(prompt: string): number;
  deliveries(): Delivery[];
  /** How many events wait until the next one was sent. */
  withheldEvents(): number;
  /** An event with fal's signature, or with a forged one. */
  sign(body: string, options?: { requestId?: string; forgery?: Forgery }): SignedEvent;
  /** Signs with a new key from now on. `keepOld`: the old keys are still published. */
  rotateKeys(options: { keepOld: boolean }): void;
  /** Another customer, who does not see the others' jobs. */
  addApiKey(apiKey: string): void;
  /** Which of the two documented forms `response_url` has. */
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

/** fal's queue, webhooks and media host. The jobs are files in `dataDir`: they survive a restart, and time goes on meanwhile. */
export async function createFalSimulator(options: SimulatorOptions): Promise<FalSimulator> {
  const { dataDir, clock, log, deliver } = options;
  const folder = join(dataDir, 'simulators', 'fal');
  const store = await openJobStore(join(folder, 'jobs'));
  const identity = await readIdentity(join(folder, 'identity.json'));
  const stopping = new AbortController();
  const closing = stopping.signal;
  const queue = createQueue(store, clock);
  const webhooks = createWebhooks({ identity, deliver, clock, log, closing });
  const notifier = createNotifier({ store, queue, webhooks, log, closing });
  const faults = createFaults();

  await store.deleteBefore(queue.nowMs() - KEPT_MS);
  for (const job of await store.list()) if (!job.isNotified) void notifier.notifyWhenEnded(job);

  const parts: FalParts = {
    ...{ store, queue, webhooks, faults, identity, log, closing },
    notifyWhenEnded: notifier.notifyWhenEnded,
    uploads: createUploads(join(folder, 'uploads')),
    apiKeys: new Set([identity.apiKey]),
    calls: createCallLog<FalOperation>(faults),
    variants: { form: 'long', pendingStatus: 202 },
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
      await notifier.close();
    },
  };
}

function controlsOf(parts: FalParts): FalControls {
  const { store, queue, webhooks, faults, identity, notifyWhenEnded, apiKeys, calls, variants } = parts;
  return {
    plan: faults.plan,
    planWebhooks: webhooks.plan,
    clearFaults() {
      faults.clear();
      webhooks.clear();
    },
    planOutcomes: queue.planOutcomes,
    setTiming: queue.setTiming,
    setWebhookRetryMs: webhooks.setRetryMs,
    async start(requestId) {
      await queue.start(requestId);
    },
    finish: async (requestId) => notifyWhenEnded(await queue.finish(requestId)),
    jobs: store.list,
    calls: calls.list,
    submitsOf: (prompt) =>
      calls.list().filter((call) => call.operation === 'submit' && call.input?.prompt === prompt).length,
    deliveries: webhooks.deliveries,
    withheldEvents: webhooks.withheldCount,
    sign: (body, { requestId = randomUUID(), forgery } = {}) => webhooks.sign(body, requestId, forgery),
    rotateKeys({ keepOld }) {
      identity.signingKeys = [...(keepOld ? identity.signingKeys : []), newSigningKey()];
    },
    addApiKey: (apiKey) => void apiKeys.add(apiKey),
    setResponseForm(form) {
      variants.form = form;
    },
    setPendingStatus(status) {
      variants.pendingStatus = status;
    },
  };
}
