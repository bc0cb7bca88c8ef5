/** The videos that are being rendered, and the progress of each. */
import { fileURLToPath } from 'node:url';
import type { Log } from '../../kernel/log.ts';
import { ChildFailure, type ChildTask, createChildPool } from '../../platform/child-pool.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import type { RenderedFiles } from './files.ts';
import type { RenderTask } from './render-video.ts';
import { planVideo } from './renderer/plan.ts';

type Render = { task: ChildTask<void>; percent: number; abort: AbortController; settled: Promise<void> };

export type RendersOptions = { files: RenderedFiles; log: Log; maxParallel: number; env: Record<string, string> };

export type Renders = {
  /** Starts a video that is not being rendered; does nothing once the renders are closed. */
  start(request: GenerationRequest): void;
  /** The status of a video that is being rendered, or has failed here for good; null for all others. */
  statusOf(jobId: string): ProviderStatus | null;
  /** Ends the render, resolves when its process has ended, and forgets its failures. */
  stop(jobId: string): Promise<void>;
  close(): Promise<void>;
};

/** The largest video takes ten seconds on an idle core. */
const PROCESSOR_MS_MAX = 5 * 60_000;
/** On a very busy machine a render that is not ready by then starts again, as long as the generation lasts. */
const TIMEOUT_MS = 15 * 60_000;
/** A render that was killed is started again at the next poll; after this many times it has failed. */
const TRIES_MAX = 3;
/** Failures of at most this many jobs are remembered. */
const FAILURES_MAX = 1_000;

export function createRenders({ files, log, maxParallel, env }: RendersOptions): Renders {
  const pool = createChildPool<RenderTask, void>({
    modulePath: fileURLToPath(new URL('./render-child.ts', import.meta.url)),
    maxParallel,
    timeoutMs: TIMEOUT_MS,
    processorMsMax: PROCESSOR_MS_MAX,
    env: { ...env, DISABLE_SYSTEM_FONTS_LOAD: '1' },
  });
  const renders = new Map<string, Render>();
  const failures = new Map<string, ChildFailure[]>();

  const fail = (jobId: string, failure: unknown): void => {
    if (!(failure instanceof ChildFailure) || failure.kind === 'closed') return;
    log.warn({ job_id: jobId, kind: failure.kind, cause: failure.message }, 'a sandbox render failed');
    if (failure.kind === 'timeout') return;
    failures.set(jobId, [...(failures.get(jobId) ?? []), failure]);
    const oldest = failures.keys().next();
    if (failures.size > FAILURES_MAX && !oldest.done) failures.delete(oldest.value);
  };

  const start: Renders['start'] = ({ jobId, prompt, settings }) => {
    const abort = new AbortController();
    const onProgress = (percent: number): void => {
      render.percent = percent;
    };
    const input = { jobId, prompt, plan: planVideo(settings), ...files.pathsOf(jobId) };
    const task = pool.run(input, { signal: abort.signal, onProgress });
    const settled = task.result.catch((error: unknown) => fail(jobId, error)).finally(() => renders.delete(jobId));
    const render: Render = { task, percent: 0, abort, settled };
    renders.set(jobId, render);
  };

  const statusOf: Renders['statusOf'] = (jobId) => {
    const render = renders.get(jobId);
    if (!render) return failedStatus(failures.get(jobId) ?? []);
    const queuePosition = render.task.position();
    return queuePosition === null
      ? { state: 'processing', progress: render.percent }
      : { state: 'queued', queuePosition };
  };

  const stop: Renders['stop'] = async (jobId) => {
    renders.get(jobId)?.abort.abort();
    await renders.get(jobId)?.settled;
    failures.delete(jobId);
  };

  return { start, statusOf, stop, close: () => pool.close() };
}

function failedStatus(failures: ChildFailure[]): ProviderStatus | null {
  const last = failures.at(-1);
  if (!last || failures.length < TRIES_MAX) return null;
  return { state: 'failed', code: last.kind === 'exhausted' ? 'ERR_5001' : 'ERR_5002', cause: last.message };
}
