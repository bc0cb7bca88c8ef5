/** DATA_DIR: made, proven to be usable, and closed to the machine's other users. */
import { randomUUID } from 'node:crypto';
import { lstat, open, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { errorCodeOf } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { makePrivate } from './make-private.ts';

/** More than a file system keeps in a file's own entry: a full disk has to say so. */
const TRIAL_BYTES = 64 * 1024;

const REASONS: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is read-only',
  EEXIST: 'a file is in its place',
  ENOTDIR: 'a file is in its place',
  ENOENT: 'it cannot be made there',
  ELOOP: 'its links lead in a circle',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full for this user',
};

/** Returns the absolute path of a folder that this process can write to. Throws a StartupError of one sentence. */
export async function prepareDataDir(folder: string, log: Log): Promise<string> {
  const path = resolve(folder);
  try {
    await makeFolder(path);
    await tryToWrite(path);
  } catch (error) {
    throw dataDirFailure(path, path, error);
  }
  await makePrivate(path, log);
  return path;
}

/** Throws as `prepareDataDir` does, and leaves everything as it was: a folder that it had to make is removed again. */
export async function tryDataDir(folder: string): Promise<string> {
  const path = resolve(folder);
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)); at = dirname(at)) missing.push(at);
  try {
    await makeFolder(path);
    await tryToWrite(path);
  } catch (error) {
    throw dataDirFailure(path, path, error);
  } finally {
    // A server that has started meanwhile keeps its folder: one with files in it is not removed.
    for (const made of missing) await rmdir(made).catch(() => {});
  }
  return path;
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error) => errorCodeOf(error) !== 'ENOENT',
  );
}

/** Names DATA_DIR for a failure of the disk below it; any other error is returned unchanged. */
export function describeDataDirFailure(error: unknown, dataDir: string): unknown {
  if (error instanceof StartupError || !(error instanceof Error) || !('path' in error)) return error;
  const path = String(error.path);
  return relative(dataDir, path).startsWith('..') ? error : dataDirFailure(dataDir, path, error);
}

function dataDirFailure(dataDir: string, path: string, cause: unknown): StartupError {
  const code = errorCodeOf(cause) ?? 'unknown';
  const at = path === dataDir ? '' : ` at ${path}`;
  const reason = REASONS[code] ?? 'the system refuses it';
  return new StartupError(
    `The data folder ${dataDir} cannot be used${at}: ${reason} (${code}). Set DATA_DIR to a folder that this user can write to.`,
    { cause },
  );
}

async function tryToWrite(folder: string): Promise<void> {
  const trial = join(folder, `.trial-${randomUUID()}`);
  try {
    const file = await open(trial, 'wx', 0o600);
    try {
      await file.writeFile(new Uint8Array(TRIAL_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(trial, { force: true });
  }
}
