/** Runway's tasks: taken, run for their time, and ended as their outcomes say. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { outcomeAskedIn } from '../outcomes.ts';
import { type Pace, paceShape, phaseOf, spanFrom, spanShape, USUAL_PACE } from '../pace.ts';
import { openRecords } from '../records.ts';
import { creditsOf, inputShapes, type Kind, type TaskInput } from './models.ts';
import { failureOf, type Outcome, outcomeShape } from './outcome.ts';

/** A task as it is kept. `credits` is the most that it may cost. */
const taskShape = z.object({
  id: z.uuid(),
  owner: z.string(),
  /** Where the caller found Runway: its own address, or this machine's. */
  origin: z.string(),
  /** The one with a picture first: the other would drop it. */
  input: z.union([inputShapes.image_to_video, inputShapes.text_to_video]),
  kind: z.enum(['text_to_video', 'image_to_video']),
  outcome: outcomeShape,
  credits: z.int(),
  ...spanShape.shape,
  isDeleted: z.boolean(),
});
export type Task = z.infer<typeof taskShape>;

export type Submission = { kind: Kind; owner: string; origin: string; input: TaskInput; isPictureBroken: boolean };
export type TaskStatus = 'PENDING' | 'THROTTLED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** Longer than anybody waits for one. */
const KEPT_MS = 30 * 24 * 3_600_000;

export function statusOf(task: Task, nowMs: number): TaskStatus {
  if (task.isDeleted) return 'CANCELLED';
  const phase = phaseOf(task, nowMs);
  if (phase === 'waiting') return task.outcome === 'throttled' ? 'THROTTLED' : 'PENDING';
  if (phase === 'running') return 'RUNNING';
  if (task.outcome === 'cancelled') return 'CANCELLED';
  return failureOf(task.outcome) ? 'FAILED' : 'SUCCEEDED';
}

/** What it has cost so far, in credits. */
export function costOf(task: Task, nowMs: number): number {
  const status = statusOf(task, nowMs);
  const isCharged = status === 'SUCCEEDED' || (status === 'FAILED' && failureOf(task.outcome)?.isCharged);
  return isCharged ? task.credits : 0;
}

export async function openTasks(folder: string, clock: Clock) {
  const records = await openRecords<Task>({
    ...{ folder, shape: taskShape },
    idOf: ({ id }) => id,
    atMsOf: ({ takenAtMs }) => takenAtMs,
  });
  const nowMs = () => clock.now().getTime();
  await records.forgetBefore(nowMs() - KEPT_MS);
  let pace = USUAL_PACE;
  const planned: Outcome[] = [];

  return {
    nowMs,
    read: records.read,
    list: records.list,
    setPace(next: Partial<Pace>): void {
      pace = paceShape.parse({ ...pace, ...next });
    },
    planOutcomes(...outcomes: Outcome[]): void {
      planned.push(...outcomes);
    },
    async take({ isPictureBroken, ...submission }: Submission): Promise<Task> {
      const { input } = submission;
      const asked = planned.shift() ?? outcomeAskedIn('runway', input.promptText, outcomeShape) ?? 'video';
      const outcome = isPictureBroken ? 'asset_invalid' : asked;
      const span = spanFrom(nowMs(), pace, outcome === 'hang');
      const task = { id: randomUUID(), ...submission, outcome, credits: creditsOf(input), ...span, isDeleted: false };
      await records.write(task);
      return task;
    },
    start: (id: string) => records.change(id, { startsAtMs: nowMs() }),
    finish: (id: string) => records.change(id, { startsAtMs: nowMs(), endsAtMs: nowMs() }),
    remove: (id: string) => records.change(id, { isDeleted: true }),
  };
}

export type Tasks = Awaited<ReturnType<typeof openTasks>>;
