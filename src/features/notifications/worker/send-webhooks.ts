/** Sends the outgoing webhooks that are due. */
import type { SetProcedures } from '../../../db/procedures.ts';
import type { Context } from '../../context.ts';

type SenderContext = Pick<Context, 'clock' | 'db' | 'log' | 'stopping' | 'webhookReceiver'>;
type Delivery = SetProcedures['claim_webhooks']['row'];

/** However slow the receiver is, its deliveries take one of the worker's slots, and this many connections. */
const AT_ONCE = 8;
/** Then a further task goes on, so that none runs for ever: a new event's, or the one of the next minute. */
const RUN_MS = 120_000;

/**
 * A handler of the queue that sends until nothing is due. One at a time does so in a process: another one only has it look for
 * due deliveries again. The table is the queue; a lost task costs a minute at most.
 */
export function createWebhookSender(ctx: SenderContext): (signal: AbortSignal) => Promise<void> {
  let wake: (() => void) | null = null;
  return async (signal) => {
    if (!ctx.webhookReceiver) return;
    if (wake) {
      wake();
      return;
    }
    const bell = createBell();
    wake = bell.ring;
    const end = ctx.clock.now().getTime() + RUN_MS;
    const mayGoOn = () => !signal.aborted && !ctx.stopping.aborted && ctx.clock.now().getTime() < end;
    try {
      // Compared and given up in one step, so that no task rings in vain.
      do await sendAllDue(ctx, signal, { bell, mayGoOn });
      while (bell.hasRung() && mayGoOn());
    } finally {
      wake = null;
    }
  };
}

type Turn = { bell: Bell; mayGoOn(): boolean };

async function sendAllDue(ctx: SenderContext, signal: AbortSignal, { bell, mayGoOn }: Turn): Promise<void> {
  const running = new Set<Promise<void>>();
  try {
    for (;;) {
      bell.reset();
      const free = mayGoOn() ? AT_ONCE - running.size : 0;
      const due = free > 0 ? await ctx.db.rows('claim_webhooks', { limit: free }) : [];
      for (const delivery of due) {
        const sending: Promise<void> = sendWebhook(ctx, delivery, signal).finally(() => running.delete(sending));
        running.add(sending);
      }
      if (running.size === 0) return;
      // All of them may end in one moment: it is over once nothing runs after a look for more.
      await Promise.race([...running, bell.rung()]);
    }
  } finally {
    await Promise.all(running);
  }
}

/** Never throws: a delivery without a result is due again after a while. */
async function sendWebhook(ctx: SenderContext, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { id, type, payload, attempts, created_at: createdAt } = delivery;
  const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data: payload });
  const result = await ctx.webhookReceiver?.send({ id, body }, signal);
  // The server is shutting down: the next one sends it again, by the same id.
  if (!result || signal.aborted) return;
  const { status, cause, retryAfterSeconds } = result;
  const recorded = { delivery_id: id, attempts, status, error: cause, retry_after_seconds: retryAfterSeconds };
  const outcome = await ctx.db.call('record_webhook_attempt', recorded).catch(() => 'unrecorded');
  const line = { delivery_id: id, type, attempt: attempts + 1, status, cause, outcome };
  if (outcome === 'delivered') ctx.log.debug(line, 'an outgoing webhook was delivered');
  else ctx.log.warn(line, 'an outgoing webhook was not delivered');
}

type Bell = { ring(): void; rung(): Promise<void>; hasRung(): boolean; reset(): void };

function createBell(): Bell {
  let isRung = false;
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    ring() {
      isRung = true;
      resolve();
    },
    rung: () => promise,
    hasRung: () => isRung,
    reset() {
      isRung = false;
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
  };
}
