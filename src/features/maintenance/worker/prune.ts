import { errorLabel } from '../../../kernel/error-code.ts';
import type { Context } from '../../context.ts';

/** Rows in one statement: short enough to hold no other work up. */
const BATCH = 300;
/** Jobs, each of which is written anew into a dozen indexes. */
const JOBS_BATCH = 30;
const ERROR_LOG_DAYS = 90;

export type PruneOptions = {
  /** How long rows of the error log are kept. */
  errorLogDays?: number;
  /** After how many days the texts for operators are taken from jobs; null: they stay. */
  jobArchiveDays?: number | null;
};

/** A batch of a procedure: how many rows, and from where to go on. */
type Batch = { rows: number; next: string | null };

/**
 * Removes rows whose retention has passed, and the texts of jobs that were deleted a month ago, in batches; never an account, a job
 * or a ledger row. What fails for one kind of rows does not keep the others; it is thrown at the end.
 */
export async function pruneLogs(
  ctx: Pick<Context, 'db' | 'log'>,
  signal: AbortSignal,
  { errorLogDays = ERROR_LOG_DAYS, jobArchiveDays = null }: PruneOptions = {},
): Promise<void> {
  const days = { error_log_days: errorLogDays, job_archive_days: jobArchiveDays };
  const pruned: Record<string, number> = {};
  const failures: unknown[] = [];
  const prune = async (kind: string, next: (after: Date | null) => Promise<Batch>) => {
    try {
      pruned[kind] = await inBatches(signal, next);
    } catch (error) {
      ctx.log.warn({ kind, code: errorLabel(error) }, 'rows could not be pruned');
      failures.push(error);
    }
  };
  for (const kind of await ctx.db.call('retention_kinds', {}))
    await prune(kind, (after) => ctx.db.call('prune_rows', { kind, limit: BATCH, after, ...days }));
  await prune('deleted_jobs', (after) => ctx.db.call('empty_deleted_jobs', { limit: JOBS_BATCH, after }));
  ctx.log.info(pruned, 'logs pruned');
  if (failures.length > 0) throw failures[0];
}

/** The next run continues what a shutdown interrupts. */
async function inBatches(signal: AbortSignal, next: (after: Date | null) => Promise<Batch>): Promise<number> {
  let sum = 0;
  for (let after: Date | null = null; !signal.aborted; ) {
    const batch: Batch = await next(after);
    sum += batch.rows;
    if (batch.next === null) break;
    after = new Date(batch.next);
  }
  return sum;
}
