import type { ProviderStatus } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { findJob, hasProvider, type JobContext, type ProviderJob } from './job.ts';

export type CancelContext = JobContext & Pick<Context, 'db'>;

/** `made`: nothing is left to cancel. `begun`: the provider works on it, or may, and bills it. */
export type Begun = 'made' | 'begun' | 'not_begun';

/** A user waits for the answer. A provider that is slower than this may have begun. */
const STATUS_TIMEOUT_MS = 5_000;

/**
 * Asks the provider whether it has begun the owner's generation, and takes one that has not out of its queue. Without a clear
 * answer it may have begun.
 */
export async function askWhetherBegun(ctx: CancelContext, userId: string, jobId: string): Promise<Begun> {
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .select(['status', 'queue_position'])
    .where('job_id', '=', jobId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (row?.status !== 'processing') return 'begun';
  const job = await findJob(ctx, jobId);
  if (!hasProvider(job)) return 'begun';
  // Its jobs run on the worker's machine; asking would start one here.
  if (job.provider.submitIsRepeatable) return row.queue_position === null ? 'begun' : 'not_begun';
  const before = begunBy(await statusOf(job));
  if (before !== 'not_begun') return before;
  await cancelAtProvider(job);
  // It may have begun in between.
  return begunBy(await statusOf(job)) === 'made' ? 'made' : 'not_begun';
}

function begunBy({ state }: ProviderStatus): Begun {
  if (state === 'completed' || state === 'not_ready') return 'made';
  return state === 'queued' || state === 'failed' ? 'not_begun' : 'begun';
}

function statusOf({ provider, providerJobId, request }: ProviderJob): Promise<ProviderStatus> {
  return provider.status(request, providerJobId ?? '', AbortSignal.timeout(STATUS_TIMEOUT_MS));
}

/** Repeated by the clean-up of the cancelled generation. */
function cancelAtProvider({ provider, providerJobId, request }: ProviderJob): Promise<void> {
  return provider.cancel(request, providerJobId ?? '', AbortSignal.timeout(STATUS_TIMEOUT_MS));
}
