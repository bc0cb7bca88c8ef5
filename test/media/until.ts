/** Waits for things that happen in other processes. */
import { readFileSync } from 'node:fs';

/** Asks every 20 ms until the answer is neither false nor null; fails after `limitMs`. */
export async function until<T>(ask: () => T | Promise<T>, limitMs = 20_000): Promise<NonNullable<T>> {
  for (const end = performance.now() + limitMs; performance.now() < end; ) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`did not happen within ${limitMs} ms`);
}

/** Whether a process runs; one that has ended and was not yet collected by its parent does not. */
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
