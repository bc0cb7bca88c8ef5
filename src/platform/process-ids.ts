import { errorCodeOf } from '../kernel/error-code.ts';

/** Whether a process with this id is running, as any user. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCodeOf(error) === 'EPERM';
  }
}

/** Whether this is the id of another running process: files with that id in their names are its own and must stay. */
export function isOtherProcess(pid: number): boolean {
  return pid > 0 && pid !== process.pid && isAlive(pid);
}
