/** What may be said of an error in a log, or kept by the queue: its code or its kind, never its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && error.code ? String(error.code) : error.name;
}
