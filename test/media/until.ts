/** Waits for events in other processes. */
import { readFileSync } from 'node:fs';

/** Calls `check` every 20 ms until its result is neither false nor null nor undefined; throws after `limitMs`. */
export async function until<T>(check: () => T | Promise<T>, limitMs = 90_000): Promise<NonNullable<T>> {
  for (const end = performance.now() + limitMs; performance.now() < end; ) {
    const result = await check();
    if (result !== false && result !== null && result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`did not happen within ${limitMs} ms`);
}

/** Whether a process runs; a zombie, which its parent has not yet reaped, does not count. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
