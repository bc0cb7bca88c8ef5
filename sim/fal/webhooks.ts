/** How fal tells of a job that has ended: signed, again until somebody takes it, and wrong in every planned way. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { rest } from '../faults.ts';
import { type Identity, newSigningKey, signedHeaders } from './identity.ts';
import { eventBody } from './reply.ts';
import type { Job } from './store.ts';

/** Ways to sign an event that must not be believed; `foreign` is fal's own, about somebody else's job. */
export const forgeryShape = z.enum(['other_key', 'changed_body', 'stale', 'future', 'unsigned', 'foreign']);
export type Forgery = z.infer<typeof forgeryShape>;

/** What goes wrong with the next event; faults are used up in the order they were planned. */
export const webhookFaultShape = z.discriminatedUnion('fault', [
  z.object({ fault: z.literal('lose') }),
  z.object({ fault: z.literal('delay'), ms: z.int().min(0) }),
  z.object({ fault: z.literal('repeat'), times: z.int().min(2) }),
  /** It comes right after the event that would have followed it. */
  z.object({ fault: z.literal('reorder') }),
  /** Instead of the genuine one. */
  z.object({ fault: z.literal('forge'), as: forgeryShape }),
  z.object({ fault: z.literal('no_payload') }),
  /** The job is done, and its event delivered, before its submit is answered. */
  z.object({ fault: z.literal('early') }),
]);
export type WebhookFault = z.infer<typeof webhookFaultShape>;

/** `status` is null where nobody answered. */
export type Delivery = { requestId: string; url: string; attempt: number; status: number | null };
export type SignedEvent = { body: string; headers: Record<string, string> };

const TIMEOUT_MS = 15_000;
const ATTEMPTS_MAX = 10;
const RETRY_MAX_MS = 60_000;
const STALE_SECONDS = 600;
const DELIVERIES_KEPT = 1000;

export function createWebhooks(options: {
  identity: Identity;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
}) {
  const { identity, deliver, clock, log, closing } = options;
  const planned: WebhookFault[] = [];
  const deliveries: Delivery[] = [];
  const overtaken: (() => Promise<void>)[] = [];
  let retryMs = 1_000;

  function signed(body: string, requestId: string, forgery?: Forgery): SignedEvent {
    const shiftSeconds = forgery === 'stale' ? -STALE_SECONDS : forgery === 'future' ? STALE_SECONDS : 0;
    const timestampSeconds = Math.floor(clock.now().getTime() / 1000) + shiftSeconds;
    const signingKey = forgery === 'other_key' ? newSigningKey() : (identity.signingKeys.at(-1) ?? '');
    const { userId } = identity;
    const headers = signedHeaders({ signingKey, requestId, userId, timestampSeconds, body });
    const json = { 'content-type': 'application/json' };
    return {
      body: forgery === 'changed_body' ? `${body} ` : body,
      headers: forgery === 'unsigned' ? json : { ...json, ...headers },
    };
  }

  /** True once somebody took it. */
  async function sendOnce(url: string, requestId: string, event: SignedEvent, attempt: number): Promise<boolean> {
    const delivery: Delivery = { requestId, url, attempt, status: null };
    deliveries.push(delivery);
    if (deliveries.length > DELIVERIES_KEPT) deliveries.shift();
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await deliver(url, { method: 'POST', ...event, redirect: 'manual', signal });
      await response.body?.cancel();
      delivery.status = response.status;
      return response.ok;
    } catch (error) {
      log.debug({ cause: String(error) }, 'nobody took a simulated webhook');
      return false;
    }
  }

  async function send(url: string, requestId: string, event: () => SignedEvent): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && !closing.aborted; attempt += 1) {
      if (await sendOnce(url, requestId, event(), attempt)) return;
      await rest(Math.min(retryMs * 2 ** (attempt - 1), RETRY_MAX_MS), closing);
    }
  }

  /** Resolves when nothing more is owed. */
  async function tell(job: Job, url: string): Promise<void> {
    const fault = planned.shift();
    if (fault?.fault === 'lose') return;
    if (fault?.fault === 'delay') await rest(fault.ms, closing);
    const body = JSON.stringify(eventBody(job, fault?.fault === 'no_payload'));
    const genuine = () => send(url, job.requestId, () => signed(body, job.requestId));
    if (fault?.fault === 'reorder') {
      await new Promise<void>((resolve) => {
        overtaken.push(() => genuine().then(resolve));
        closing.addEventListener('abort', () => resolve(), { once: true });
      });
      return;
    }
    if (fault?.fault === 'forge') return forge(url, job, fault.as);
    const times = fault?.fault === 'repeat' ? fault.times : 1;
    for (let sent = 0; sent < times; sent += 1) await genuine();
    for (const late of overtaken.splice(0)) await late();
  }

  async function forge(url: string, job: Job, forgery: Forgery): Promise<void> {
    const about = forgery === 'foreign' ? { ...job, requestId: randomUUID() } : job;
    const body = JSON.stringify(eventBody(about, false));
    await sendOnce(url, job.requestId, signed(body, about.requestId, forgery), 1);
  }

  return {
    tell,
    signed,
    plan(...faults: WebhookFault[]): void {
      planned.push(...faults.map((fault) => webhookFaultShape.parse(fault)));
    },
    clear(): void {
      planned.length = 0;
    },
    /** Whether the next event is to come before its submit is answered. */
    takeEarly(): boolean {
      if (planned[0]?.fault !== 'early') return false;
      planned.shift();
      return true;
    },
    setRetryMs(ms: number): void {
      retryMs = ms;
    },
    deliveries: () => structuredClone(deliveries),
    withheld: () => overtaken.length,
  };
}

export type Webhooks = ReturnType<typeof createWebhooks>;
