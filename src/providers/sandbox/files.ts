/** Rendered videos on this machine: `<job id>.mp4` when finished, `<job id>.<server's process id>.part` before. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { diskTimeMs } from '../../platform/disk-time.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { isOtherProcess } from '../../platform/process-ids.ts';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const OURS = new RegExp(`^(?:now\\.${UUID}|${UUID}\\.(?:mp4|(?<pid>\\d+)\\.part))$`);
const JOB_ID = new RegExp(`^${UUID}$`);
/** A finished video that was not fetched for this long belongs to a generation that has ended otherwise. */
const STALE_MS = 24 * 3_600_000;

export type RenderedFiles = {
  /** Absolute paths. Throws for an id that is no UUID: it would become part of a path. */
  pathsOf(jobId: string): { path: string; temporaryPath: string };
  isFinished(jobId: string): Promise<boolean>;
  remove(jobId: string): Promise<void>;
  /** Creates the folder and deletes what earlier processes left unfinished or unfetched. Other files are not touched. */
  prepare(): Promise<void>;
};

export function createRenderedFiles(workDir: string): RenderedFiles {
  const folder = resolve(workDir);
  const pathsOf: RenderedFiles['pathsOf'] = (jobId) => {
    if (!JOB_ID.test(jobId)) throw new TypeError('a job id is a lower-case UUID');
    return { path: join(folder, `${jobId}.mp4`), temporaryPath: join(folder, `${jobId}.${process.pid}.part`) };
  };
  return {
    pathsOf,
    isFinished: async (jobId) => (await stat(pathsOf(jobId).path).catch(() => null))?.isFile() ?? false,
    remove: async (jobId) => {
      const { path, temporaryPath } = pathsOf(jobId);
      await rm(path, { force: true });
      await rm(temporaryPath, { force: true });
    },
    prepare: () => prepare(folder),
  };
}

async function prepare(folder: string): Promise<void> {
  await makeFolder(folder);
  const nowMs = await diskTimeMs(folder);
  for (const name of await readdir(folder)) {
    const ours = OURS.exec(name);
    const found = ours && (await stat(join(folder, name)).catch(() => null));
    if (!found) continue;
    const pid = ours.groups?.pid;
    const isStale = pid === undefined ? nowMs - found.mtimeMs > STALE_MS : !isOtherProcess(Number(pid));
    if (isStale) await rm(join(folder, name), { force: true });
  }
}
