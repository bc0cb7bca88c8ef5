/** The status of a task at Runway. */
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
  /** The final cost; estimates come before it. */
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
  if (!isVendorId(taskId)) return { state: 'absent', cause: 'not an id of Runway’s' };
  const tried = await runway.send({ method: 'GET', path: `/v1/tasks/${taskId}` }, signal);
  const reply = tried.answer;
  if (reply.got === 'nothing') return { state: 'unreachable', cause: reply.cause };
  if (reply.status === 404 || reply.status === 410) return { state: 'absent', cause: `answered ${reply.status}` };
  if (reply.status < 200 || reply.status >= 300) return unreachable(runway, reply, tried);

  const task = taskShape.safeParse(parseJson(reply.text)).data;
  if (!task) return { state: 'unreachable', cause: `answered ${reply.status} with an unexpected body` };
  if ((task.id ?? taskId) !== taskId) return { state: 'unreachable', cause: 'the reply is about another task' };
  return statusOf(task, runway.secretsOf(request));
}

function statusOf(task: Task, secrets: readonly string[]): ProviderStatus {
  // A throttled task waits: the account has reached its number of concurrent tasks.
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
