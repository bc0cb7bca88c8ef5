/** The queue itself: takes jobs, lets them run their time, and says how they stand. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/kernel/clock.ts';
import { outcomeAskedIn } from '../outcomes.ts';
import { type Pace, paceShape, phaseOf, spanFrom, USUAL_PACE } from '../pace.ts';
import { problemsWith } from './endpoints.ts';
import { type Outcome, outcomeShape } from './outcome.ts';
import type { Job, JobStore } from './store.ts';

export type JobState = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED';

/** Whose turn comes how soon: a line that moves up every half second. */
const PLACE_MS = 500;
/** The place of a job that waits to be moved by hand. */
const PLACE_BY_HAND = 2;

const STATES = { waiting: 'IN_QUEUE', running: 'IN_PROGRESS', ended: 'COMPLETED' } as const;

export function stateOf(job: Job, nowMs: number): JobState {
  return job.isCancelled ? 'COMPLETED' : STATES[phaseOf(job, nowMs)];
}

export function placeOf({ startsAtMs }: Job, nowMs: number): number {
  return startsAtMs === null ? PLACE_BY_HAND : Math.max(0, Math.ceil((startsAtMs - nowMs) / PLACE_MS) - 1);
}

export type Submission = {
  endpoint: string;
  owner: string;
  origin: string;
  input: Record<string, unknown>;
  webhookUrl: string | null;
};

export function createQueue(store: JobStore, clock: Clock) {
  let pace = USUAL_PACE;
  const planned: Outcome[] = [];
  const nowMs = () => clock.now().getTime();

  function outcomeFor({ endpoint, input }: Submission): Outcome {
    const problems = problemsWith(endpoint, input) ?? [];
    if (problems.length > 0) return 'invalid';
    return planned.shift() ?? outcomeAskedIn('fal', input.prompt, outcomeShape) ?? 'video';
  }

  return {
    nowMs,
    setPace(next: Partial<Pace>): void {
      pace = paceShape.parse({ ...pace, ...next });
    },
    planOutcomes(...outcomes: Outcome[]): void {
      planned.push(...outcomes);
    },
    async take(submission: Submission): Promise<Job> {
      const outcome = outcomeFor(submission);
      const times = spanFrom(nowMs(), pace, outcome === 'hang');
      const isTold = submission.webhookUrl === null;
      const job: Job = { requestId: randomUUID(), ...submission, outcome, ...times, isCancelled: false, isTold };
      await store.write(job);
      return job;
    },
    start: (requestId: string) => store.change(requestId, { startsAtMs: nowMs() }),
    finish: (requestId: string) => store.change(requestId, { startsAtMs: nowMs(), endsAtMs: nowMs() }),
    markTold: (requestId: string) => store.change(requestId, { isTold: true }),
    /** Only what has not started is taken out; what runs, runs on. */
    async cancel(job: Job): Promise<'CANCELLATION_REQUESTED' | 'ALREADY_COMPLETED'> {
      const state = stateOf(job, nowMs());
      if (state === 'COMPLETED') return 'ALREADY_COMPLETED';
      if (state === 'IN_QUEUE') await store.change(job.requestId, { isCancelled: true });
      return 'CANCELLATION_REQUESTED';
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
