import { randomUUID } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The current time of the file system under `folder`, in milliseconds. File ages need it: this machine's clock may differ. */
export async function diskTimeMs(folder: string): Promise<number> {
  const path = join(folder, `now.${randomUUID()}`);
  await writeFile(path, '');
  const { mtimeMs } = await stat(path);
  await rm(path, { force: true });
  return mtimeMs;
}
