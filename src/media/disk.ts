/** Stores finished media in a folder of this machine. */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCodeOf } from '../kernel/error-code.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { copyHashing } from './copy-hashing.ts';
import { listFolder } from './list-folder.ts';
import { checkMediaKey } from './media-key.ts';
import { openFile } from './open-file.ts';
import { storageProblem } from './storage-problem.ts';
import type { MediaKey, MediaStore } from './store.ts';
import { streamFile } from './stream-file.ts';

/** No key can contain this name. An object is written here first and then renamed, so that no reader sees half of it. */
const INCOMING = '~incoming';
/** A file that stays there longer was left by a crash. */
const STALE_MS = 24 * 3_600_000;
/** A folder that was just made may be removed again, when another call removes the last object in it. */
const MOVE_TRIES = 20;

/** The store in `folder`, which is made when needed. Disk failures are `Problem` ERR_6002, invalid keys ERR_4006. */
export function createDiskStore({ folder }: { folder: string }): MediaStore {
  const pathOf = (key: MediaKey): string => {
    checkMediaKey(key);
    return join(folder, ...key.split('/'));
  };
  let swept = false;

  const putFile: MediaStore['putFile'] = async (key, source, signal) => {
    const path = pathOf(key);
    const temporary = join(folder, INCOMING, randomUUID());
    try {
      await makeFolder(dirname(temporary));
      const stored = await copyHashing(source, temporary, signal);
      if (!swept) await sweep(temporary);
      swept = true;
      await moveIntoPlace(temporary, path);
      if ((await stat(path)).size !== stored.bytes)
        throw storageProblem(new Error('the disk does not show the whole file'));
      return stored;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw errorCodeOf(error) ? storageProblem(error) : error;
    }
  };

  const info: MediaStore['info'] = async (key) => {
    const found = await orNull(stat(pathOf(key), { bigint: true }));
    if (!found?.isFile()) return null;
    // Objects are replaced by renaming, so other bytes mean another file: its inode and time identify it as a hash would.
    const etag = `"${[found.size, found.mtimeNs, found.ino].map((part) => part.toString(36)).join('-')}"`;
    return { bytes: Number(found.size), etag, modifiedAt: found.mtime };
  };

  const read: MediaStore['read'] = async (key, range) => {
    const file = await orNull(openFile(pathOf(key), 'r'));
    if (!file) return null;
    const found = await file.stat();
    if (found.isFile()) return streamFile(file, range ?? { start: 0, end: found.size - 1 });
    await file.close();
    return null;
  };

  const remove: MediaStore['remove'] = async (key) => {
    const path = pathOf(key);
    if (!(await orNull(stat(path)))?.isFile()) return;
    await orNull(unlink(path));
    const bucket = join(folder, key.slice(0, key.indexOf('/')));
    // Names of folders contain user ids: a folder is removed with its last object.
    for (let parent = dirname(path); parent !== bucket; parent = dirname(parent)) {
      const isRemoved = await rmdir(parent).then(
        () => true,
        () => false,
      );
      if (!isRemoved) break;
    }
  };

  return { putFile, info, read, remove, ...upkeepOf(folder) };
}

function upkeepOf(folder: string): Pick<MediaStore, 'list' | 'removeUnfinished'> {
  return {
    async *list(bucket, after = null) {
      try {
        yield* listFolder(folder, bucket, after);
      } catch (error) {
        throw storageProblem(error);
      }
    },
    async removeUnfinished(before) {
      const names = (await orNull(readdir(join(folder, INCOMING)))) ?? [];
      return removeOlder(join(folder, INCOMING), names, before.getTime());
    },
  };
}

async function moveIntoPlace(temporary: string, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await makeFolder(dirname(path));
      await rename(temporary, path);
      return await syncFolder(dirname(path));
    } catch (error) {
      if (errorCodeOf(error) !== 'ENOENT' || tries === MOVE_TRIES) throw error;
    }
  }
}

/** Flushes the folder, so that the name survives a power cut as well as the bytes do. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await openFile(folder, 'r');
    await handle.sync();
  } catch {
    // Windows cannot open folders, and its file system keeps names in a journal.
  }
}

/** Removes files that crashes left behind. The newest file's time is the current time of the disk. */
async function sweep(newest: string): Promise<void> {
  const { mtimeMs: nowMs } = await stat(newest);
  await removeOlder(dirname(newest), await readdir(dirname(newest)), nowMs - STALE_MS);
}

async function removeOlder(folder: string, names: string[], beforeMs: number): Promise<number> {
  let removed = 0;
  for (const name of names) {
    const path = join(folder, name);
    const left = await stat(path).catch(() => null);
    if (!left || left.mtimeMs >= beforeMs) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

/** Null if the file does not exist; other failures of the disk are thrown as a `Problem`. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCodeOf(error) ?? '')) return null;
    throw storageProblem(error);
  }
}
