import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCodeOf } from '../kernel/error-code.ts';

/** For this user alone: the folders hold keys, and people's images and videos. */
const PRIVATE = 0o700;
/** Others may remove a folder, or one above it, as soon as it is made. */
const TRIES_MAX = 20;

/**
 * Makes the folder, and those above it that are missing. Node's own recursive `mkdir` never returns for a path that can be
 * neither found nor made, as below /proc or a link that leads nowhere.
 */
export async function makeFolder(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await mkdir(path, { mode: PRIVATE });
      return;
    } catch (error) {
      if (await isFolder(path)) return;
      const code = errorCodeOf(error);
      if (tries === TRIES_MAX || (code !== 'ENOENT' && code !== 'EEXIST') || dirname(path) === path) throw error;
      if (code === 'ENOENT') await makeFolder(dirname(path));
    }
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
