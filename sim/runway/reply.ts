/** Runway's replies, in the types of its own SDK. */
import type { RunwayML } from '@runwayml/sdk';
import { MODELS } from './models.ts';
import { failureOf } from './outcome.ts';
import { costOf, statusOf, type Task } from './tasks.ts';

export function createdBody(task: Task): RunwayML.TextToVideoCreateResponse & RunwayML.ImageToVideoCreateResponse {
  return { id: task.id, estimatedCost: { credits: task.credits } };
}

/** `url`: of the finished file. */
export function taskBody(task: Task, url: string, nowMs: number): RunwayML.TaskRetrieveResponse {
  const known = { id: task.id, createdAt: new Date(task.acceptedAtMs).toISOString() };
  const estimatedCost = { credits: task.credits };
  const cost = { credits: costOf(task, nowMs) };
  const status = statusOf(task, nowMs);
  if (status === 'PENDING' || status === 'THROTTLED') return { ...known, status, estimatedCost };
  if (status === 'RUNNING') return { ...known, status, progress: progressOf(task, nowMs), estimatedCost };
  if (status === 'CANCELLED') return { ...known, status, cost };
  if (status === 'SUCCEEDED') return { ...known, status, output: task.outcome === 'no_output' ? [] : [url], cost };
  const { failure = '', failureCode } = failureOf(task.outcome) ?? {};
  return { ...known, status, failure, ...(failureCode === undefined ? {} : { failureCode }), cost };
}

/** From 0 to 1, in hundredths; a half where the end is not known. */
function progressOf({ startsAtMs, endsAtMs }: Task, nowMs: number): number {
  if (startsAtMs === null || endsAtMs === null || endsAtMs <= startsAtMs) return 0.5;
  return Math.floor((100 * (nowMs - startsAtMs)) / (endsAtMs - startsAtMs)) / 100;
}

const DAY_MS = 24 * 3_600_000;

/** `tasks` are the account's own. */
export function organizationBody(
  tasks: readonly Task[],
  creditBalance: number,
  nowMs: number,
): RunwayML.OrganizationRetrieveResponse {
  const today = tasks.filter(({ acceptedAtMs }) => acceptedAtMs > nowMs - DAY_MS);
  const limits = { maxConcurrentGenerations: 5, maxDailyGenerations: 1000 };
  return {
    creditBalance,
    tier: {
      maxMonthlyCreditSpend: 200_000,
      models: Object.fromEntries(MODELS.map((model) => [model, limits])),
    },
    usage: {
      models: Object.fromEntries(
        MODELS.map((model) => [model, { dailyGenerations: today.filter(({ input }) => input.model === model).length }]),
      ),
    },
  };
}

const DOCS = 'https://docs.dev.runwayml.com/api';

export type Issue = { code: string; path: (string | number)[]; message: string };

export function invalidBody(issues: readonly Issue[]): object {
  return { error: 'Validation of body failed', issues, docUrl: DOCS };
}
