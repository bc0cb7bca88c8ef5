import { errorCodeOf } from '../kernel/error-code.ts';

/** Whether a process has this id, of whichever user. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCodeOf(error) === 'EPERM';
  }
}

/** Whether it is the id of a living process beside this one: what carries it in its name is not ours to remove. */
export function isOtherProcess(pid: number): boolean {
  return pid > 0 && pid !== process.pid && isAlive(pid);
}
