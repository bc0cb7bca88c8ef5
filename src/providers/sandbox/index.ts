/** A provider for people without vendor keys: it renders a real video of the prompt on this machine. */
import type { Log } from '../../kernel/log.ts';
import type { GenerationRequest, ProviderAdapter, ProviderStatus } from '../provider.ts';
import { forcedStatus } from './failure-paths.ts';
import { createRenderedFiles } from './files.ts';
import { SANDBOX, sandboxJobId } from './identity.ts';
import { createRenders } from './renders.ts';

export type SandboxOptions = {
  /** A folder for films on their way; made when needed, shared with nothing else. */
  workDir: string;
  log: Log;
  /** Renders at once; the others wait in line. */
  maxParallel: number;
  /** What the rendering processes see of the environment; most machines need nothing. */
  env?: Record<string, string>;
};

/** Cancelled jobs are remembered, lest a late question starts them again; so many at most. */
const CANCELLED_MAX = 1_000;

/**
 * Nothing is lost with the process: a job that is not known here and has no film is rendered (again) when somebody asks
 * for its status, and the same job always gives the same film.
 */
export function createSandboxAdapter({ workDir, log, maxParallel, env = {} }: SandboxOptions): ProviderAdapter {
  const films = createRenderedFiles(workDir);
  const renders = createRenders({ films, log, maxParallel, env });
  const prepared = films.prepare().catch((error: unknown) => {
    log.error({ cause: String(error) }, 'the sandbox cannot use its folder');
  });
  const cancelled = new Set<string>();
  let closed = false;

  /** What is known of the job; where nothing is, it is begun. */
  const advance = async (request: GenerationRequest): Promise<ProviderStatus> => {
    const { jobId, prompt } = request;
    const { path } = films.pathsOf(jobId);
    await prepared;
    const isFinished = await films.isFinished(jobId);
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
    await films.remove(jobId);
  };

  return {
    ...SANDBOX,
    async submit(request) {
      const status = await advance(request);
      if (status.state === 'unreachable') return { outcome: 'retryable', cause: status.cause };
      return { outcome: 'accepted', providerJobId: sandboxJobId(request.jobId) };
    },
    status: (request) => advance(request),
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
