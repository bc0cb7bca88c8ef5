/** A provider for people without vendor keys: it renders a real video of the prompt on this machine. */
import type { Log } from '../../kernel/log.ts';
import type { GenerationRequest, ProviderAdapter, ProviderStatus } from '../provider.ts';
import { forcedStatus } from './failure-paths.ts';
import { createRenderedFiles } from './files.ts';
import { SANDBOX, sandboxJobId } from './identity.ts';
import { createRenders } from './renders.ts';

export type SandboxOptions = {
  /** A folder for rendered videos; created when needed, used by nothing else. */
  workDir: string;
  log: Log;
  /** Renders at a time; the others wait in a queue. */
  maxParallel: number;
  /** What the rendering processes see of the environment; most machines need nothing. */
  env?: Record<string, string>;
};

/** Cancelled jobs are remembered so that a late poll does not start them again; at most this many. */
const CANCELLED_MAX = 1_000;

/**
 * Nothing is lost with the process: a job that is not known here and has no video is rendered (again) when it is polled, and
 * the same job always gives the same video.
 */
export function createSandboxAdapter({ workDir, log, maxParallel, env = {} }: SandboxOptions): ProviderAdapter {
  const files = createRenderedFiles(workDir);
  const renders = createRenders({ files, log, maxParallel, env });
  const prepared = files.prepare().catch((error: unknown) => {
    log.error({ cause: String(error) }, 'the sandbox cannot use its folder');
  });
  const cancelled = new Set<string>();
  let closed = false;

  /** The job's status; a job that is not known is started. */
  const startOrPoll = async (request: GenerationRequest): Promise<ProviderStatus> => {
    const { jobId, prompt } = request;
    const { path } = files.pathsOf(jobId);
    await prepared;
    const isFinished = await files.isFinished(jobId);
    if (cancelled.has(jobId)) return { state: 'failed', code: 'ERR_5004', cause: 'cancelled' };
    const known = forcedStatus(prompt) ?? renders.statusOf(jobId);
    if (known) return known;
    if (isFinished) return { state: 'completed', video: { from: 'file', path }, thumbnail: null };
    if (closed) return { state: 'unreachable', cause: 'this server is shutting down' };
    renders.start(request);
    return renders.statusOf(jobId) ?? { state: 'processing', progress: 0 };
  };

  const forget = async (jobId: string): Promise<void> => {
    await renders.stop(jobId);
    await files.remove(jobId);
  };

  return {
    ...SANDBOX,
    async submit(request) {
      const status = await startOrPoll(request);
      if (status.state === 'unreachable') return { outcome: 'retryable', cause: status.cause };
      return { outcome: 'accepted', providerJobId: sandboxJobId(request.jobId) };
    },
    status: (request) => startOrPoll(request),
    async cancel({ jobId }) {
      cancelled.add(jobId);
      for (const oldest of cancelled) if (cancelled.size > CANCELLED_MAX) cancelled.delete(oldest);
      await forget(jobId);
    },
    release: forget,
    async close() {
      closed = true;
      await Promise.all([prepared, renders.close()]);
    },
  };
}
