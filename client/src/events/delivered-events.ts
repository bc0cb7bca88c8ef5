/** Which events listeners have received, so that each is delivered once, whether the stream or a poll found it. */
import type { JobEvent, JobStatus } from '../types.ts';

type OfJob = Exclude<JobEvent, { type: 'credits' }>;
/** The stream delivers every event in order; a poll only finds the current state. */
export type Source = 'stream' | 'poll';

export type DeliveredEvents = {
  /** Records the event. True when it is new to the listeners. */
  add(event: JobEvent, source: Source): boolean;
  /** The last event of each job that has not ended, oldest job first. */
  ofRunningJobs(): OfJob[];
  hasJob(jobId: string): boolean;
  forgetJob(jobId: string): void;
};

const RANK: Record<JobStatus, number> = { pending: 0, processing: 1, completed: 2, failed: 2 };

export function createDeliveredEvents(): DeliveredEvents {
  const jobs = new Map<string, { event: OfJob; source: Source }>();
  const transactions = new Set<string>();
  return {
    add(event, source) {
      if (event.type === 'credits') {
        const isNew = !transactions.has(event.transaction_id);
        transactions.add(event.transaction_id);
        return isNew;
      }
      const known = jobs.get(event.job_id);
      // Two events of one stream are always distinct; what a poll found may come again through the stream.
      const isInOrder = known?.source === 'stream' && source === 'stream' && event.id !== null;
      const isNew = !known || isInOrder || isLater(event, known.event);
      if (isNew) jobs.set(event.job_id, { event, source });
      return isNew;
    },
    ofRunningJobs: () => [...jobs.values()].flatMap(({ event }) => (isRunning(event) ? [event] : [])),
    hasJob: (jobId) => jobs.has(jobId),
    forgetJob: (jobId) => void jobs.delete(jobId),
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
