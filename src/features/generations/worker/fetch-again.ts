import { sql } from 'kysely';
import type { Context } from '../../context.ts';
import type { ProviderJob } from '../job.ts';
import type { Undelivered } from './deliver.ts';
import { failGeneration } from './fail.ts';
import { POLL_AGAIN_MS } from './fetch-status.ts';

/** A host that is busy or out of reach is tried at least this often, so that the file meets the job's deadline. */
const BUSY_HOST_MAX_MS = 60_000;
/** Right after a job is completed, its file is often not there for some seconds, and sometimes for more than two minutes. */
const NOT_READY_MIN_MS = 2_000;
const NOT_READY_FOR_MS = 3 * 60_000;
/** The last try begins this long before the job's deadline, so that its failure has the right code. */
const LAST_TRY_MS = 5_000;
/** A try so soon after another would see the same. */
const TRY_GAP_MS = 1_000;

/**
 * Returns the wait before the provider is asked for its file again: half of the time since it completed the job. A file that
 * was not ready for minutes, or until just before the job's deadline, fails the job: `ended`. A job that the provider has not
 * completed goes on.
 */
export async function fetchAgain(
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'metrics'>,
  { request: { jobId }, deadlineAt }: ProviderJob,
  { cause, isNotReady }: Undelivered,
): Promise<number | 'ended'> {
  const waitedMs = await msSinceCompleted(ctx, jobId);
  if (waitedMs === null) return POLL_AGAIN_MS;
  if (!isNotReady) return Math.ceil(Math.min(Math.max(waitedMs / 2, POLL_AGAIN_MS), BUSY_HOST_MAX_MS));
  const lastTryMs = Math.min(
    NOT_READY_FOR_MS - waitedMs,
    deadlineAt.getTime() - ctx.clock.now().getTime() - LAST_TRY_MS,
  );
  if (lastTryMs < TRY_GAP_MS) {
    await failGeneration(ctx, jobId, 'ERR_5005', cause);
    return 'ended';
  }
  return Math.ceil(Math.min(Math.max(waitedMs / 2, NOT_READY_MIN_MS), lastTryMs));
}

async function msSinceCompleted(ctx: Pick<Context, 'db'>, jobId: string): Promise<number | null> {
  const attempt = await ctx.db.read
    .selectFrom('provider_attempts')
    .select(sql<number>`extract(epoch from clock_timestamp() - ended_at)::float8 * 1000`.as('waited_ms'))
    .where('job_id', '=', jobId)
    .where('result', '=', 'completed')
    .executeTakeFirst();
  return attempt?.waited_ms ?? null;
}
