/** Runway's tasks: accepted, run for their time, and ended as their outcomes say. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/kernel/clock.ts';
import { outcomeInPrompt } from '../outcomes.ts';
import { openRecords } from '../records.ts';
import { DEFAULT_TIMING, phaseOf, scheduleFrom, scheduleShape, type Timing, timingShape } from '../timing.ts';
import { creditsOf, inputShapes, type Kind, type TaskInput } from './models.ts';
import { failureOf, type Outcome, outcomeShape } from './outcome.ts';

/** A stored task. `credits` is the most that it may cost. */
const taskShape = z.object({
  id: z.uuid(),
  owner: z.string(),
  /** Of the URL at which the caller reached Runway: Runway's own, or this machine's. */
  origin: z.string(),
  /** The one with an image first: the other would drop it. */
  input: z.union([inputShapes.image_to_video, inputShapes.text_to_video]),
  kind: z.enum(['text_to_video', 'image_to_video']),
  outcome: outcomeShape,
  credits: z.int(),
  ...scheduleShape.shape,
  isDeleted: z.boolean(),
});
export type Task = z.infer<typeof taskShape>;

export type Submission = { kind: Kind; owner: string; origin: string; input: TaskInput; isImageBroken: boolean };
export type TaskStatus = 'PENDING' | 'THROTTLED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** Longer than any caller waits for a task. */
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
    atMsOf: ({ acceptedAtMs }) => acceptedAtMs,
  });
  const nowMs = () => clock.now().getTime();
  await records.deleteBefore(nowMs() - KEPT_MS);
  let timing = DEFAULT_TIMING;
  const planned: Outcome[] = [];

  return {
    nowMs,
    read: records.read,
    list: records.list,
    setTiming(next: Partial<Timing>): void {
      timing = timingShape.parse({ ...timing, ...next });
    },
    planOutcomes(...outcomes: Outcome[]): void {
      planned.push(...outcomes);
    },
    async add({ isImageBroken, ...submission }: Submission): Promise<Task> {
      const { input } = submission;
      const chosen = planned.shift() ?? outcomeInPrompt('runway', input.promptText, outcomeShape) ?? 'video';
      const outcome = isImageBroken ? 'asset_invalid' : chosen;
      const schedule = scheduleFrom(nowMs(), timing, outcome === 'hang');
      const task = {
        id: randomUUID(),
        ...submission,
        outcome,
        credits: creditsOf(input),
        ...schedule,
        isDeleted: false,
      };
      await records.write(task);
      return task;
    },
    start: (id: string) => records.change(id, { startsAtMs: nowMs() }),
    finish: (id: string) => records.change(id, { startsAtMs: nowMs(), endsAtMs: nowMs() }),
    remove: (id: string) => records.change(id, { isDeleted: true }),
  };
}

export type Tasks = Awaited<ReturnType<typeof openTasks>>;
