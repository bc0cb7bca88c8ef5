/** Stripe's events: each is kept, so that it can be sent again. */
import type { StripeObject } from './objects.ts';
import { createSender, type SenderOptions, type StripeEvent } from './sender.ts';
import type { Store } from './store.ts';

export type Fact = { type: string; object: StripeObject };
/** `id`: of the payment, refund or dispute; `events`: those that it caused, in order. */
export type Happened = { id: string; events: StripeEvent[] };

const API_VERSION = '2026-10-28.endive';
const EVENTS_KEPT = 1000;

export function createEvents({ store, ...options }: SenderOptions & { store: Store }) {
  const { sign, send, deliveries, setRetryMs, close } = createSender(options);
  const events: StripeEvent[] = [];
  let isAutomatic = true;

  function eventOf({ type, object }: Fact): StripeEvent {
    const id = store.newId('evt');
    const created = store.now();
    const about = { api_version: API_VERSION, created, livemode: store.isLive, pending_webhooks: 1, type };
    // Stripe writes its events over several lines.
    return { id, type, created, body: JSON.stringify({ id, object: 'event', ...about, data: { object } }, null, 2) };
  }

  return {
    /** Records events that happen together, and sends them in this order unless that is done by hand. */
    async emit(...facts: Fact[]): Promise<StripeEvent[]> {
      const made = facts.map(eventOf);
      events.push(...made);
      events.splice(0, Math.max(0, events.length - EVENTS_KEPT));
      if (isAutomatic) for (const event of made) await send(event, true);
      return made;
    },
    /** Sends a recorded event once more. */
    async deliver(id: string): Promise<number | null> {
      const event = events.find((each) => each.id === id);
      if (!event) throw new Error(`no such event: ${id}`);
      return send(event, isAutomatic);
    },
    /** Oldest first. */
    list: (): StripeEvent[] => structuredClone(events),
    /** False: events are sent by `deliver` alone. */
    setAutomatic(is: boolean): void {
      isAutomatic = is;
    },
    sign,
    deliveries,
    setRetryMs,
    close,
  };
}

export type Events = ReturnType<typeof createEvents>;
