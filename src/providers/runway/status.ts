/** The status of a task at Runway. States and shapes beyond the documents are answered nevertheless. */
import { z } from 'zod';
import { type RetriedReply, unreachable } from '../call.ts';
import { findVideo } from '../find-video.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import { parseJson, type Reply } from '../reply.ts';
import { meaningOf } from '../status-word.ts';
import { readVendorError } from '../vendor-error.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Runway } from './context.ts';
import { failureOfReply, failureOfTask } from './failure.ts';

const taskShape = z.looseObject({
  id: z.string().optional().catch(undefined),
  status: z.string().catch(''),
  /** From 0 to 1. */
  progress: z.number().nullish().catch(null),
  /** The final cost; estimates come before it. */
  cost: z
    .object({ credits: z.number().min(0) })
    .optional()
    .catch(undefined),
});
const envelopeShape = z.object({ task: z.looseObject({ status: z.string() }) }).transform(({ task }) => task);

type Task = z.infer<typeof taskShape>;

/** Runway sells its credits at a cent each. */
const CREDITS_PER_USD = 100;
/** Replies that explain why the task has failed. */
const ABOUT_TASK = new Set([400, 409, 422, 451]);
/** A bad request of ours, which says nothing about the task. */
const OUR_REQUEST = /x-runway-version|api version/i;

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
  const secrets = runway.secretsOf(request);
  if (reply.status < 200 || reply.status >= 300) return withoutTask(runway, reply, tried, secrets);

  const body = parseJson(reply.text);
  const task = taskShape.safeParse(envelopeShape.safeParse(body).data ?? body).data;
  if (!task) return { state: 'unreachable', cause: `answered ${reply.status} with an unexpected body` };
  if ((task.id ?? taskId) !== taskId) return { state: 'unreachable', cause: 'the reply is about another task' };
  return statusOf(task, secrets);
}

function withoutTask(runway: Runway, reply: Reply, tried: RetriedReply, secrets: readonly string[]): ProviderStatus {
  const failure = failureOfReply(reply, secrets);
  const isExplained = readVendorError(parseJson(reply.text)).lines.length > 0 && !OUR_REQUEST.test(reply.text ?? '');
  return ABOUT_TASK.has(reply.status) && isExplained && failure.code === 'ERR_5003'
    ? { state: 'failed', isUnconfirmed: true, ...failure }
    : unreachable(runway, reply, tried);
}

function statusOf(task: Task, secrets: readonly string[]): ProviderStatus {
  // A throttled task waits: the account has reached its number of concurrent tasks.
  const meaning = meaningOf(task.status);
  if (meaning === 'queued') return { state: 'queued', queuePosition: null };
  if (meaning === 'running') return { state: 'processing', progress: percentOf(task.progress ?? null) };
  const cost = task.cost ? { costUsd: task.cost.credits / CREDITS_PER_USD } : {};
  const isExplained = readVendorError(task).lines.length > 0 || typeof task.failureCode === 'string';
  if (/^CANCELL?ED$/i.test(task.status) && !isExplained) {
    return { state: 'failed', code: 'ERR_5002', cause: 'cancelled at Runway', ...cost };
  }
  const failure = failureOfTask(task, task.status, secrets);
  const found = meaning === 'failed' ? null : (findVideo(task.output) ?? findVideo(task));
  if (found) return { state: 'completed', ...found, ...cost };
  if (meaning === 'completed' && failure.reason !== 'moderated') {
    return { state: 'failed', code: 'ERR_5005', cause: 'succeeded without a video', ...cost };
  }
  // A task in an unknown state has failed if it says why.
  return meaning !== null || isExplained
    ? { state: 'failed', ...failure, ...cost }
    : { state: 'unreachable', cause: `answered with an unknown state (${task.status.slice(0, 50)})` };
}

function percentOf(progress: number | null): number | null {
  return progress === null ? null : Math.round(Math.min(1, Math.max(0, progress)) * 100);
}
