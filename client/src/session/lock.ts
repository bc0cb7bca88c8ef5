import type { Storage } from './persistent-store.ts';

/**
 * Runs one task at a time per name, among all clients of a storage: those of this process, and those of other tabs where
 * the browser supports the Web Locks API.
 */
export type Lock = <Result>(name: string, task: () => Promise<Result>) => Promise<Result>;

/** Longer than a request may take, so a tab that still holds the lock then has been frozen or suspended by its browser. */
const WAIT_MAX_MS = 30_000;

const lastTasksOf = new WeakMap<Storage, Map<string, Promise<unknown>>>();

export function createLock(storage: Storage): Lock {
  const lastTasks = lastTasksOf.get(storage) ?? new Map<string, Promise<unknown>>();
  lastTasksOf.set(storage, lastTasks);
  return (name, task) => {
    const previous = lastTasks.get(name) ?? Promise.resolve();
    const result = previous.then(() => acrossTabs(`rendio.${name}`, task));
    lastTasks.set(
      name,
      result.catch(() => {}),
    );
    return result;
  };
}

async function acrossTabs<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
  // Outside a browser, all clients of a storage share this process's memory.
  if (typeof document === 'undefined' || typeof navigator === 'undefined' || !navigator.locks) return task();
  let hasStarted = false;
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), WAIT_MAX_MS);
  try {
    return await navigator.locks.request(name, { signal: waiting.signal }, () => {
      hasStarted = true;
      clearTimeout(timer);
      return task();
    });
  } catch (error) {
    // A sandboxed frame is not allowed to request locks, and a frozen tab may hold one for ever: run without.
    if (hasStarted) throw error;
    return task();
  } finally {
    clearTimeout(timer);
  }
}
