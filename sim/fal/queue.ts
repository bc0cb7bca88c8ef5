/** The queue itself: accepts jobs, lets them run for their time, and says in which state they are. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import { outcomeInPrompt } from '../outcomes.ts';
import { DEFAULT_TIMING, phaseOf, scheduleFrom, type Timing, timingShape } from '../timing.ts';
import { problemsWith } from './endpoints.ts';
import { type Outcome, outcomeShape } from './outcome.ts';
import type { Job, JobStore } from './store.ts';

export type JobState = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED';

/** The queue moves up by one position in this time. */
const POSITION_MS = 500;
/** The position of a job that waits until a test starts it. */
const POSITION_BY_HAND = 2;

const STATES = { waiting: 'IN_QUEUE', running: 'IN_PROGRESS', ended: 'COMPLETED' } as const;

export function stateOf(job: Job, nowMs: number): JobState {
  return job.isCancelled ? 'COMPLETED' : STATES[phaseOf(job, nowMs)];
}

/** From 0 on. */
export function queuePositionOf({ startsAtMs }: Job, nowMs: number): number {
  return startsAtMs === null ? POSITION_BY_HAND : Math.max(0, Math.ceil((startsAtMs - nowMs) / POSITION_MS) - 1);
}

export type Submission = {
  endpoint: string;
  owner: string;
  origin: string;
  input: Record<string, unknown>;
  webhookUrl: string | null;
};

export function createQueue(store: JobStore, clock: Clock) {
  let timing = DEFAULT_TIMING;
  const planned: Outcome[] = [];
  const nowMs = () => clock.now().getTime();

  function outcomeFor({ endpoint, input }: Submission): Outcome {
    const problems = problemsWith(endpoint, input) ?? [];
    if (problems.length > 0) return 'invalid';
    return planned.shift() ?? outcomeInPrompt('fal', input.prompt, outcomeShape) ?? 'video';
  }

  return {
    nowMs,
    setTiming(next: Partial<Timing>): void {
      timing = timingShape.parse({ ...timing, ...next });
    },
    planOutcomes(...outcomes: Outcome[]): void {
      planned.push(...outcomes);
    },
    async add(submission: Submission): Promise<Job> {
      const outcome = outcomeFor(submission);
      const schedule = scheduleFrom(nowMs(), timing, outcome === 'hang');
      const isNotified = submission.webhookUrl === null;
      const job: Job = { requestId: randomUUID(), ...submission, outcome, ...schedule, isCancelled: false, isNotified };
      await store.write(job);
      return job;
    },
    start: (requestId: string) => store.change(requestId, { startsAtMs: nowMs() }),
    finish: (requestId: string) => store.change(requestId, { startsAtMs: nowMs(), endsAtMs: nowMs() }),
    markNotified: (requestId: string) => store.change(requestId, { isNotified: true }),
    /** Only a job that has not started is cancelled; a running one goes on. */
    async cancel(job: Job): Promise<'CANCELLATION_REQUESTED' | 'ALREADY_COMPLETED'> {
      const state = stateOf(job, nowMs());
      if (state === 'COMPLETED') return 'ALREADY_COMPLETED';
      if (state === 'IN_QUEUE') await store.change(job.requestId, { isCancelled: true });
      return 'CANCELLATION_REQUESTED';
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
