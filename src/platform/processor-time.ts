import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever its kernel was built with. */
const TICK_MS = 10;

/** The processor time that all threads of a process have used, in milliseconds; null where the system does not say. */
export function processorMsOf(pid: number): number | null {
  try {
    // Behind the name of the process, which may contain anything but ends at the last parenthesis.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * TICK_MS : null;
  } catch {
    return null;
  }
}
