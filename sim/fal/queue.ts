/** The queue itself: takes jobs, lets them run their time, and says how they stand. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { problemsWith } from './endpoints.ts';
import { type Outcome, outcomeAskedIn } from './outcome.ts';
import type { Job, JobStore } from './store.ts';

/** How long a job waits and runs; null: until it is moved by hand. */
export const paceShape = z.object({ queueMs: z.int().min(0).nullable(), runMs: z.int().min(0).nullable() });
export type Pace = z.infer<typeof paceShape>;

/** Quick, and long enough to be seen. */
const USUAL_PACE: Pace = { queueMs: 1_000, runMs: 2_000 };

export type JobState = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED';

/** Whose turn comes how soon: a line that moves up every half second. */
const PLACE_MS = 500;
/** The place of a job that waits to be moved by hand. */
const PLACE_BY_HAND = 2;

export function stateOf({ isCancelled, startsAtMs, endsAtMs }: Job, nowMs: number): JobState {
  if (isCancelled) return 'COMPLETED';
  if (startsAtMs === null || nowMs < startsAtMs) return 'IN_QUEUE';
  return endsAtMs === null || nowMs < endsAtMs ? 'IN_PROGRESS' : 'COMPLETED';
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
    return planned.shift() ?? outcomeAskedIn(input.prompt) ?? 'video';
  }

  async function change(requestId: string, changed: Partial<Job>): Promise<Job> {
    const job = await store.read(requestId);
    if (!job) throw new Error(`no simulated job ${requestId}`);
    const next = { ...job, ...changed };
    await store.write(next);
    return next;
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
      const takenAtMs = nowMs();
      const startsAtMs = pace.queueMs === null ? null : takenAtMs + pace.queueMs;
      const isEndless = startsAtMs === null || pace.runMs === null || outcome === 'hang';
      const endsAtMs = isEndless ? null : startsAtMs + (pace.runMs ?? 0);
      const times = { takenAtMs, startsAtMs, endsAtMs };
      const isTold = submission.webhookUrl === null;
      const job: Job = { requestId: randomUUID(), ...submission, outcome, ...times, isCancelled: false, isTold };
      await store.write(job);
      return job;
    },
    start: (requestId: string) => change(requestId, { startsAtMs: nowMs() }),
    finish: (requestId: string) => change(requestId, { startsAtMs: nowMs(), endsAtMs: nowMs() }),
    markTold: (requestId: string) => change(requestId, { isTold: true }),
    /** Only what has not started is taken out; what runs, runs on. */
    async cancel(job: Job): Promise<'CANCELLATION_REQUESTED' | 'ALREADY_COMPLETED'> {
      const state = stateOf(job, nowMs());
      if (state === 'COMPLETED') return 'ALREADY_COMPLETED';
      if (state === 'IN_QUEUE') await change(job.requestId, { isCancelled: true });
      return 'CANCELLATION_REQUESTED';
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
