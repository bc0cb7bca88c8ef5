/** fal's webhooks about jobs that have ended: signed, retried until they are accepted, and wrong in every planned way. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import { createDeliveries } from './deliveries.ts';
import type { Identity } from './identity.ts';
import { eventBody } from './reply.ts';
import { type SignedEvent, signEvent } from './sign-event.ts';
import type { Job } from './store.ts';
import { type Forgery, type WebhookFault, webhookFaultShape } from './webhook-faults.ts';

export function createWebhooks(options: {
  identity: Identity;
  deliver: typeof fetch;
  clock: Clock;
  log: Log;
  closing: AbortSignal;
}) {
  const { closing } = options;
  const deliveries = createDeliveries(options);
  const planned: WebhookFault[] = [];
  /** Events that are sent after the next one. */
  const withheld: (() => Promise<void>)[] = [];

  function sign(body: string, requestId: string, forgery?: Forgery): SignedEvent {
    return signEvent(options, body, requestId, forgery);
  }

  /** Resolves when the event was accepted, or is not sent any more. */
  async function send(job: Job, url: string): Promise<void> {
    const fault = planned.shift();
    if (fault?.fault === 'lose') return;
    if (fault?.fault === 'delay') await wait(fault.ms, closing);
    const body = JSON.stringify(eventBody(job, fault?.fault === 'no_payload'));
    const sendGenuine = () => deliveries.send(url, job.requestId, () => sign(body, job.requestId));
    if (fault?.fault === 'reorder') return withhold(sendGenuine);
    if (fault?.fault === 'forge') return forge(url, job, fault.as);
    const times = fault?.fault === 'repeat' ? fault.times : 1;
    for (let sent = 0; sent < times; sent += 1) await sendGenuine();
    for (const sendWithheld of withheld.splice(0)) await sendWithheld();
  }

  function withhold(sendGenuine: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      withheld.push(() => sendGenuine().then(resolve));
      closing.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async function forge(url: string, job: Job, forgery: Forgery): Promise<void> {
    const about = forgery === 'foreign' ? { ...job, requestId: randomUUID() } : job;
    const body = JSON.stringify(eventBody(about, false));
    await deliveries.sendOnce(url, job.requestId, sign(body, about.requestId, forgery));
  }

  return {
    send,
    sign,
    plan(...faults: WebhookFault[]): void {
      planned.push(...faults.map((fault) => webhookFaultShape.parse(fault)));
    },
    clear(): void {
      planned.length = 0;
    },
    /** Whether the next event is to be delivered before its submit is answered. */
    takeEarly(): boolean {
      if (planned[0]?.fault !== 'early') return false;
      planned.shift();
      return true;
    },
    setRetryMs: deliveries.setRetryMs,
    deliveries: deliveries.list,
    withheldCount: () => withheld.length,
  };
}

export type Webhooks = ReturnType<typeof createWebhooks>;
