import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import type { Binaries } from './binaries.ts';
import { majorOf } from './create-cluster.ts';

/** Whether a start that ended with these words may succeed when repeated: somebody else was quicker, or is still going. */
export function isWorthRepeating(lastWords: string): boolean {
  return /lock file .* (already exists|is empty)|pre-existing shared memory|Address already in use/.test(lastWords);
}

/** One sentence for a person out of PostgreSQL's last words. */
export async function diagnose(
  cluster: string,
  logFile: string,
  lastWords: string,
  binaries: Binaries,
): Promise<StartupError> {
  if (lastWords.includes('incompatible with server')) {
    const theirs = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '?')).trim();
    const ours = await majorOf(binaries, cluster);
    const advice = `start it with PostgreSQL ${theirs}, or move the folder away to begin anew`;
    return new StartupError(`The data in ${cluster} was made by PostgreSQL ${theirs}, and this is ${ours}: ${advice}.`);
  }
  const fatal = lastWords.split('\n').findLast((line) => /(FATAL|PANIC):/.test(line)) ?? lastWords;
  const reason = fatal.replace(/^.*(FATAL|PANIC):\s*/, '').trim();
  return new StartupError(`PostgreSQL did not start on ${cluster}: ${reason || 'it gave no reason'} (see ${logFile}).`);
}
