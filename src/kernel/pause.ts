/** Waiting, in this process. */

/** Resolves after `ms`, or at once when one of the signals aborts. Never rejects. */
export function pause(ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
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

/** Resolves with the work, or with undefined after `ms` without it; leaves no timer behind that would keep the process. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = pause(ms, done.signal).then(() => undefined);
  return Promise.race([work, late]).finally(() => done.abort());
}
