/** How the sandbox presents itself, wherever it runs: processes that share a database must agree on it. */

export const SANDBOX = { name: 'sandbox', submitIsRepeatable: true, pollIntervalMs: 250, mediaHosts: [] } as const;

/** What the sandbox calls a job of ours. */
export function sandboxJobId(jobId: string): string {
  return `sandbox-${jobId}`;
}
