/** What processes that share a database must agree on, whether they render or not. */

export const SANDBOX = { submitIsRepeatable: true, pollIntervalMs: 250 } as const;

/** What the sandbox calls a job of ours. */
export function sandboxJobId(jobId: string): string {
  return `sandbox-${jobId}`;
}
