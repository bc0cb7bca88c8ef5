/** What listeners have been told, so that nothing is told twice whichever way it was learnt. */
import type { JobEvent, JobStatus } from '../types.ts';

type OfJob = Exclude<JobEvent, { type: 'credits' }>;
/** A stream tells everything in order; a look at the server finds how things stand. */
export type Source = 'stream' | 'look';

export type Told = {
  /** Whether the event is news to the listeners; from then on it is not. */
  isNews(event: JobEvent, source: Source): boolean;
  /** The last news of each job that has not ended, oldest first. */
  running(): OfJob[];
  knows(jobId: string): boolean;
  forget(jobId: string): void;
};

const RANK: Record<JobStatus, number> = { pending: 0, processing: 1, completed: 2, failed: 2 };

export function createTold(): Told {
  const jobs = new Map<string, { event: OfJob; source: Source }>();
  const transactions = new Set<string>();
  return {
    isNews(event, source) {
      if (event.type === 'credits') {
        const isNew = !transactions.has(event.transaction_id);
        transactions.add(event.transaction_id);
        return isNew;
      }
      const known = jobs.get(event.job_id);
      // Two events of one stream are two pieces of news; what was found by looking may come again by the stream.
      const isInOrder = known?.source === 'stream' && source === 'stream' && event.id !== null;
      const isNew = !known || isInOrder || isLater(event, known.event);
      if (isNew) jobs.set(event.job_id, { event, source });
      return isNew;
    },
    running: () => [...jobs.values()].flatMap(({ event }) => (isRunning(event) ? [event] : [])),
    knows: (jobId) => jobs.has(jobId),
    forget: (jobId) => void jobs.delete(jobId),
  };
}

function isRunning({ status }: { status: JobStatus }): boolean {
  return status === 'pending' || status === 'processing';
}

function isLater(next: OfJob, known: OfJob): boolean {
  if (next.type !== 'processing' || known.type !== 'processing') return RANK[next.status] > RANK[known.status];
  const [progress, before] = [next.progress ?? -1, known.progress ?? -1];
  return progress === before ? next.queue_position !== known.queue_position : progress > before;
}
