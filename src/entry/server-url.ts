/** Where the server of a DATA_DIR listens, for the command line beside it: the system may have chosen the port. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { errorCodeOf } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { isAlive } from '../platform/process-ids.ts';

const FILE = 'server.json';

const Noted = z.object({ pid: z.int().positive(), url: z.url() });

/** Notes this process's URL, and returns what forgets it. A folder that cannot be written costs a hint, not the start. */
export async function noteServerUrl(dataDir: string, url: string, log: Log): Promise<() => Promise<void>> {
  const file = join(resolve(dataDir), FILE);
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, JSON.stringify({ pid: process.pid, url }), { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    log.debug({ code: errorCodeOf(error) }, 'the URL could not be noted in DATA_DIR');
    await rm(draft, { force: true }).catch(() => {});
  }
  return async () => {
    // Another server may have noted its own meanwhile.
    if ((await readNoted(file))?.pid === process.pid) await rm(file, { force: true }).catch(() => {});
  };
}

/** The URL of the server that runs on this DATA_DIR; null if none is known to run. */
export async function readServerUrl(dataDir: string): Promise<string | null> {
  const noted = await readNoted(join(resolve(dataDir), FILE));
  return noted && isAlive(noted.pid) ? noted.url : null;
}

async function readNoted(file: string): Promise<z.infer<typeof Noted> | null> {
  try {
    return Noted.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Absent, or not ours to understand.
    return null;
  }
}
