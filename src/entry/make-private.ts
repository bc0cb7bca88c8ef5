/** Closes DATA_DIR to the machine's other users: it holds keys, a database, and people's images and videos. */
import { chmod, lstat, readdir, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import process from 'node:process';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';

/** What this server makes in the folder. Others may keep something there too, and a mistake may name their home. */
const OURS = /^(?:media|work|sandbox|simulators|postgres\.log|development-[a-z-]+(?:\.pem)?)$/;
/** PostgreSQL's folder may be another user's, as may what a file system makes in itself. */
const OF_OTHER_USERS = /^(?:postgres|lost\+found)$/;
/** Rights of anyone but the owner. */
const OTHERS = 0o077;
/** A folder for everybody, such as /tmp. */
const STICKY = 0o1000;

/**
 * Takes the rights of others from the folder and from what this server has made in it. What is closed already is not looked
 * into, so a later start costs nothing. PostgreSQL sees to its own files. What cannot be closed is logged.
 */
export async function makePrivate(dataDir: string, log: Log): Promise<void> {
  // Windows has other rights than these.
  if (process.platform === 'win32') return;
  const failures: string[] = [];
  const { mode } = await stat(dataDir);
  const names = await readdir(dataDir);
  if (mode & OTHERS) {
    if (mode & STICKY || dataDir === parse(dataDir).root || (await isOfOthers(dataDir, names))) {
      log.warn({}, 'DATA_DIR names a folder that others use as well: name one of its own');
    } else {
      await takeRights(dataDir, mode, failures);
    }
  }
  for (const name of names.filter((each) => OURS.test(each))) await close(join(dataDir, name), failures);
  if (failures.length > 0) {
    log.warn({ code: failures[0], count: failures.length }, 'other users of this machine may read files in DATA_DIR');
  }
}

/** Whether another user keeps something in it: `/var/lib` itself must not be closed. */
async function isOfOthers(dataDir: string, names: string[]): Promise<boolean> {
  const user = process.getuid?.();
  for (const name of names.filter((each) => !OURS.test(each) && !OF_OTHER_USERS.test(each))) {
    const found = await lstat(join(dataDir, name)).catch(() => null);
    if (found && found.uid !== user) return true;
  }
  return false;
}

async function close(path: string, failures: string[]): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found || found.isSymbolicLink() || !(found.mode & OTHERS)) return;
  if (found.isDirectory()) {
    const names = await readdir(path).catch(() => []);
    for (const name of names) await close(join(path, name), failures);
  }
  // The folder last: a start that ends half way looks into it again.
  await takeRights(path, found.mode, failures);
}

async function takeRights(path: string, mode: number, failures: string[]): Promise<void> {
  await chmod(path, mode & 0o7700).catch((error) => {
    // Another process may have removed it meanwhile.
    if (errorLabel(error) !== 'ENOENT') failures.push(errorLabel(error));
  });
}
