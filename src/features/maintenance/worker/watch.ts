/** Looks for trouble that no single call sees, and raises alerts. Beside the queue, so that a queue that is stuck is seen too. */
import { sql } from 'kysely';
import { errorLabel } from '../../../kernel/error-code.ts';
import { sleep } from '../../../kernel/sleep.ts';
import type { Context } from '../../context.ts';
import { readQueueFigures } from '../operations-figures.ts';

export type WatchContext = Pick<Context, 'db' | 'log' | 'raiseAlert'>;

const WATCH_EVERY_MS = 30_000;
/** A task that is due begins within a second while the worker keeps up. */
const QUEUE_OLDEST_MAX_SECONDS = 5 * 60;
/** Of so many generations that were charged within an hour, or more, this share is refunded. */
const REFUNDS_MIN_CHARGES = 20;
const REFUND_SHARE_MAX = 0.3;
/** The newest rows of the ledger, at most: reading costs the same however many there are. */
const LEDGER_ROWS_MAX = 5_000;

/** Watches repeatedly until stopped. What fails is logged, and the next time runs as usual. */
export function startWatch(
  ctx: Pick<Context, 'log'>,
  watch: () => Promise<void>,
  everyMs = WATCH_EVERY_MS,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const watching = (async () => {
    for (;;) {
      await sleep(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await watch().catch((error: unknown) => ctx.log.warn({ code: errorLabel(error) }, 'a watch failed'));
    }
  })();
  return {
    stop() {
      stopping.abort();
      return watching;
    },
  };
}

/** The queue and the refunds, in the whole database: one worker is enough, and several raise an alert once. */
export async function watchDatabase(ctx: WatchContext): Promise<void> {
  const { depth, oldestSeconds } = await readQueueFigures(ctx);
  if (oldestSeconds > QUEUE_OLDEST_MAX_SECONDS)
    ctx.raiseAlert({ kind: 'queue_stalled', details: { depth, oldest_seconds: Math.round(oldestSeconds) } });
  const { charges, refunds } = await countRefunds(ctx);
  if (charges >= REFUNDS_MIN_CHARGES && refunds / charges > REFUND_SHARE_MAX)
    ctx.raiseAlert({ kind: 'refund_share', details: { charges, refunds } });
}

async function countRefunds({ db }: Pick<Context, 'db'>): Promise<{ charges: number; refunds: number }> {
  const { rows } = await sql<{ charges: number; refunds: number }>`
    select
      count(*) filter (where reason = 'video_generation')::integer as charges,
      count(*) filter (where reason = 'generation_failed_refund')::integer as refunds
    from (select reason, created_at from public.quota_log order by seq desc limit ${LEDGER_ROWS_MAX}) newest
    where created_at > now() - interval '1 hour'`.execute(db.read);
  return rows[0] ?? { charges: 0, refunds: 0 };
}

/** Tasks whose failures have alerts or an end of their own. */
const MAY_FAIL = ['send_alert'];
/** With the queue's growing waits: for a minute and a half. */
const FAILURES_MAX = 5;

/** Raises an alert for a task that has failed at each try. `attempts` counts them. */
export function watchTask(
  ctx: Pick<Context, 'raiseAlert'>,
  { task, attempts }: { task: string; attempts: number },
): void {
  if (attempts < FAILURES_MAX || MAY_FAIL.includes(task)) return;
  ctx.raiseAlert({ kind: 'task_fails', subject: task, details: { attempts } });
}
