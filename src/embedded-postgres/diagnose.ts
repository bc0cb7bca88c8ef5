import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import type { Binaries } from './binaries.ts';
import { majorOf } from './create-cluster.ts';

/** Whether a failed start with this output may succeed when retried: another process was faster, or is still ending. */
export function isRetryable(lastOutput: string): boolean {
  return /lock file .* (already exists|is empty)|pre-existing shared memory|Address already in use/.test(lastOutput);
}

/** Turns PostgreSQL's last output into one sentence for the operator. */
export async function diagnose(
  cluster: string,
  logFile: string,
  lastOutput: string,
  binaries: Binaries,
): Promise<StartupError> {
  if (lastOutput.includes('incompatible with server')) {
    const theirs = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '?')).trim();
    const ours = await majorOf(binaries, cluster);
    const advice = `start it with PostgreSQL ${theirs}, or move the folder away to begin anew`;
    return new StartupError(`The data in ${cluster} was made by PostgreSQL ${theirs}, and this is ${ours}: ${advice}.`);
  }
  const fatal = lastOutput.split('\n').findLast((line) => /(FATAL|PANIC):/.test(line)) ?? lastOutput;
  const reason = fatal.replace(/^.*(FATAL|PANIC):\s*/, '').trim();
  return new StartupError(
    `PostgreSQL did not start on ${cluster} (DATA_DIR): ${reason || 'it gave no reason'} (see ${logFile}).`,
  );
}
