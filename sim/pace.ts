/** How a simulated job spends its time. */
import { z } from 'zod';

/** How long a job waits and runs; null: until it is moved by hand. */
export const paceShape = z.object({ queueMs: z.int().min(0).nullable(), runMs: z.int().min(0).nullable() });
export type Pace = z.infer<typeof paceShape>;

/** Of one job, in milliseconds; null: not until somebody says so. */
export const spanShape = z.object({
  takenAtMs: z.number(),
  startsAtMs: z.number().nullable(),
  endsAtMs: z.number().nullable(),
});
export type Span = z.infer<typeof spanShape>;

/** Quick, and long enough to be seen. */
export const USUAL_PACE: Pace = { queueMs: 1_000, runMs: 2_000 };

/** `isEndless`: it runs until it is ended by hand. */
export function spanFrom(takenAtMs: number, { queueMs, runMs }: Pace, isEndless: boolean): Span {
  const startsAtMs = queueMs === null ? null : takenAtMs + queueMs;
  const endsAtMs = startsAtMs === null || runMs === null || isEndless ? null : startsAtMs + runMs;
  return { takenAtMs, startsAtMs, endsAtMs };
}

export type Phase = 'waiting' | 'running' | 'ended';

export function phaseOf({ startsAtMs, endsAtMs }: Span, nowMs: number): Phase {
  if (startsAtMs === null || nowMs < startsAtMs) return 'waiting';
  return endsAtMs === null || nowMs < endsAtMs ? 'running' : 'ended';
}
