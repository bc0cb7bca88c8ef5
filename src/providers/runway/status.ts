/** How a task stands at Runway. */
import { z } from 'zod';
import { unreachable } from '../call.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import { parseJson } from '../reply.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Runway } from './context.ts';
import { failureOfTask } from './failure.ts';

const taskShape = z.object({
  id: z.string().optional().catch(undefined),
  status: z.enum(['PENDING', 'THROTTLED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
  /** From 0 to 1. */
  progress: z.number().nullish().catch(null),
  output: z
    .tuple([z.url({ protocol: /^https?$/ })], z.unknown())
    .optional()
    .catch(undefined),
  failure: z.string().catch(''),
  failureCode: z.string().min(1).optional().catch(undefined),
  /** What it costs in the end; the estimates before are none of ours. */
  cost: z
    .object({ credits: z.number().min(0) })
    .optional()
    .catch(undefined),
});

type Task = z.infer<typeof taskShape>;

/** Runway sells its credits at a cent each. */
const CREDITS_PER_USD = 100;

export async function status(
  runway: Runway,
  request: GenerationRequest,
  taskId: string,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  if (!isVendorId(taskId)) return { state: 'absent', cause: 'no id of Runway’s' };
  const asked = await runway.send({ method: 'GET', path: `/v1/tasks/${taskId}` }, signal);
  const reply = asked.answer;
  if (reply.got === 'nothing') return { state: 'unreachable', cause: reply.cause };
  if (reply.status === 404 || reply.status === 410) return { state: 'absent', cause: `answered ${reply.status}` };
  if (reply.status < 200 || reply.status >= 300) return unreachable(runway, reply, asked);

  const task = taskShape.safeParse(parseJson(reply.text)).data;
  if (!task) return { state: 'unreachable', cause: `answered ${reply.status} with something else` };
  if ((task.id ?? taskId) !== taskId) return { state: 'unreachable', cause: 'answered about another task' };
  return statusOf(task, runway.secretsOf(request));
}

function statusOf(task: Task, secrets: readonly string[]): ProviderStatus {
  // Throttled is Runway's word for a queue: more was asked for at once than the account may have.
  if (task.status === 'PENDING' || task.status === 'THROTTLED') return { state: 'queued', queuePosition: null };
  if (task.status === 'RUNNING') return { state: 'processing', progress: percentOf(task.progress ?? null) };
  const cost = task.cost ? { costUsd: task.cost.credits / CREDITS_PER_USD } : {};
  if (task.status === 'CANCELLED') return { state: 'failed', code: 'ERR_5002', cause: 'cancelled at Runway', ...cost };
  if (task.status === 'FAILED') {
    return { state: 'failed', ...failureOfTask(task.failureCode, task.failure, secrets), ...cost };
  }
  if (!task.output) return { state: 'failed', code: 'ERR_5005', cause: 'succeeded without a video', ...cost };
  return { state: 'completed', video: { from: 'url', url: task.output[0] }, thumbnail: null, ...cost };
}

function percentOf(progress: number | null): number | null {
  return progress === null ? null : Math.round(Math.min(1, Math.max(0, progress)) * 100);
}
