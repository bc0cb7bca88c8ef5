/** The sandbox where nothing can be rendered: it accepts jobs, and leaves rendering to a worker on another machine. */
import type { ProviderAdapter } from '../provider.ts';
import { forcedStatus } from './failure-paths.ts';
import { SANDBOX, sandboxJobId } from './identity.ts';

/** The next poll may come from a worker that renders: the sandbox knows a job by our id, and starts it when it is polled. */
const RENDERED_ELSEWHERE = { state: 'unreachable', cause: 'videos are rendered by another process' } as const;

export function createRemoteSandbox(): ProviderAdapter {
  return {
    ...SANDBOX,
    submit: async ({ jobId }) => ({ outcome: 'accepted', providerJobId: sandboxJobId(jobId) }),
    status: async ({ prompt }) => forcedStatus(prompt) ?? RENDERED_ELSEWHERE,
    // The process that renders the video stops it and deletes the file, or deletes the file when it is old.
    cancel: async () => {},
    release: async () => {},
    close: async () => {},
  };
}
