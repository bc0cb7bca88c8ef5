/** Resolves after `ms`, or at once when one of the signals aborts. Never rejects. */
export function sleep(ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    for (const signal of signals) {
      if (signal?.aborted) return end();
      signal?.addEventListener('abort', end);
    }
  });
}

/** Resolves as the work does, or with undefined after `ms`. Leaves no timer that would keep the process running. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const timeout = sleep(ms, done.signal).then(() => undefined);
  return Promise.race([work, timeout]).finally(() => done.abort());
}
