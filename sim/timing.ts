/** How long a simulated job waits and runs. */
import { z } from 'zod';

/** Null: until a test starts or finishes the job. */
export const timingShape = z.object({ queueMs: z.int().min(0).nullable(), runMs: z.int().min(0).nullable() });
export type Timing = z.infer<typeof timingShape>;

/** The times of one job, in milliseconds since 1970. Null: when a test says so. */
export const scheduleShape = z.object({
  acceptedAtMs: z.number(),
  startsAtMs: z.number().nullable(),
  endsAtMs: z.number().nullable(),
});
export type Schedule = z.infer<typeof scheduleShape>;

/** Short, but long enough for a user to see each state. */
export const DEFAULT_TIMING: Timing = { queueMs: 1_000, runMs: 2_000 };

/** `isEndless`: it runs until a test finishes it. */
export function scheduleFrom(acceptedAtMs: number, { queueMs, runMs }: Timing, isEndless: boolean): Schedule {
  const startsAtMs = queueMs === null ? null : acceptedAtMs + queueMs;
  const endsAtMs = startsAtMs === null || runMs === null || isEndless ? null : startsAtMs + runMs;
  return { acceptedAtMs, startsAtMs, endsAtMs };
}

export type Phase = 'waiting' | 'running' | 'ended';

export function phaseOf({ startsAtMs, endsAtMs }: Schedule, nowMs: number): Phase {
  if (startsAtMs === null || nowMs < startsAtMs) return 'waiting';
  return endsAtMs === null || nowMs < endsAtMs ? 'running' : 'ended';
}
