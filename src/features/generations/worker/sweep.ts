import { sql } from 'kysely';
import { errorLabel } from '../../../kernel/error-code.ts';
import { sleep } from '../../../kernel/sleep.ts';
import type { Context } from '../../context.ts';
import { failGeneration } from './fail.ts';

type SweepContext = Pick<Context, 'db' | 'log' | 'metrics'>;

/** A job that is past its deadline fails within this time. */
const SWEEP_EVERY_MS = 5_000;

/** Jobs per sweep; the next sweep follows within seconds. */
const BATCH = 100;

/** Sweeps repeatedly until stopped, one sweep at a time. A sweep that fails is logged, and the next one runs as usual. */
export function startSweeper(ctx: SweepContext, everyMs = SWEEP_EVERY_MS): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const wait = () => sleep(everyMs, stopping.signal);
  const sweeping = (async () => {
    for (await wait(); !stopping.signal.aborted; await wait()) await sweep(ctx);
  })();
  return {
    stop() {
      stopping.abort();
      return sweeping;
    },
  };
}

async function sweep(ctx: SweepContext): Promise<void> {
  try {
    const done = await sweepGenerations(ctx);
    if (done.expired + done.requeued > 0) ctx.log.warn(done, 'sweep ended late generations or requeued jobs');
  } catch (error) {
    ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sweep failed');
  }
}

/**
 * Fails and refunds every generation past its deadline, and requeues unfinished jobs without a queue task. With the sweep
 * alone, every generation would still end correctly.
 */
export async function sweepGenerations(ctx: SweepContext): Promise<{ expired: number; requeued: number }> {
  const late = await ctx.db.read
    .selectFrom('video_jobs')
    .select('job_id')
    .where('status', 'in', ['pending', 'processing'])
    .where('deadline_at', '<=', sql<Date>`now()`)
    .orderBy('deadline_at')
    .limit(BATCH)
    .execute();
  let expired = 0;
  for (const { job_id } of late) {
    if (await expire(ctx, job_id)) expired += 1;
  }
  const requeued = await ctx.db.call('requeue_orphans', { limit: BATCH });
  return { expired, requeued };
}

/** Fails one job. An error is only logged, so that the other jobs still get their refunds. */
async function expire(ctx: SweepContext, jobId: string): Promise<boolean> {
  try {
    return await failGeneration(ctx, jobId, 'ERR_5001', 'past its deadline');
  } catch (error) {
    ctx.log.error({ job_id: jobId, code: errorLabel(error) }, 'a generation past its deadline could not be failed');
    return false;
  }
}
