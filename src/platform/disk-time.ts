import { randomUUID } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The time in milliseconds as the disk under `folder` stamps its files: the age of a file is not our clock's to tell. */
export async function diskTimeMs(folder: string): Promise<number> {
  const path = join(folder, `now.${randomUUID()}`);
  await writeFile(path, '');
  const { mtimeMs } = await stat(path);
  await rm(path, { force: true });
  return mtimeMs;
}
