import { readFile, readlink, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskTimeMs } from '../platform/disk-time.ts';
import { run } from './run.ts';

/** The content of PostgreSQL's `postmaster.pid`. `status` is `starting`, `ready`, `stopping` or empty. */
export type PidFile = { pid: number; port: number | undefined; status: string };

/** PostgreSQL fills the file within milliseconds: a file of this age without a pid was left by a crash. */
const HALF_WRITTEN_MS = 5_000;

/** Reads the cluster's `postmaster.pid`; undefined if there is none, or if it holds no pid. */
export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const path = join(cluster, 'postmaster.pid');
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (pid > 0) return { pid, port: Number(lines[3]) || undefined, status: lines[7]?.trim() ?? '' };
  const made = await stat(path).catch(() => undefined);
  if (made && (await diskTimeMs(dirname(cluster))) - made.mtimeMs > HALF_WRITTEN_MS) await rm(path, { force: true });
  return undefined;
}

/** Whether the running process `pid` is a PostgreSQL of this cluster, and not another program that got the pid later. */
export async function isPostgresOf(cluster: string, pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    // PostgreSQL's working folder is its data folder; of another user's process, only the command line is readable. A
    // zombie has neither, and holds no resources.
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    return (
      cwd === cluster || (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(`-D\0${cluster}\0`)
    );
  }
  const plain = { prefix: [], user: {} };
  if (process.platform === 'win32') {
    const listed = await run(plain, ['tasklist', '/NH', '/FO', 'CSV', '/FI', `PID eq ${pid}`], cluster);
    return listed.output.includes('postgres.exe');
  }
  const listed = await run(plain, ['ps', '-ww', '-o', 'command=', '-p', String(pid)], cluster);
  return listed.output.includes(cluster);
}
