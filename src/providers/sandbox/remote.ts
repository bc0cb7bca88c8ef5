/** The sandbox where nothing can be rendered: it takes orders, and leaves the films to a worker on a machine. */
import type { ProviderAdapter } from '../provider.ts';
import { forcedStatus } from './failure-paths.ts';
import { SANDBOX, sandboxJobId } from './identity.ts';

/** Whoever asks next may be the worker that renders: the sandbox knows a job by our id, and begins it when asked. */
const NOT_HERE = { state: 'unreachable', cause: 'films are rendered by another process' } as const;

export function createRemoteSandbox(): ProviderAdapter {
  return {
    ...SANDBOX,
    submit: async ({ jobId }) => ({ outcome: 'accepted', providerJobId: sandboxJobId(jobId) }),
    status: async ({ prompt }) => forcedStatus(prompt) ?? NOT_HERE,
    // The film, if there is one, is stopped and removed by the process that made it, or goes with its age.
    cancel: async () => {},
    release: async () => {},
    close: async () => {},
  };
}
