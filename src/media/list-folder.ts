/** Lists the objects of a store in a folder of this machine. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf } from '../kernel/error-code.ts';
import { isMediaKey } from './media-key.ts';
import type { ListedMedia, MediaKey } from './store.ts';

const PAGE = 500;

/** The files under `<folder>/<bucket>`, folder by folder in the order of their names; one folder's names are in memory at once. */
export async function* listFolder(
  folder: string,
  bucket: string,
  after: MediaKey | null,
): AsyncGenerator<ListedMedia[]> {
  const begin = after === null ? [] : after.split('/').slice(1);
  let page: ListedMedia[] = [];
  for await (const key of keysIn(folder, bucket, begin)) {
    const found = await orNull(stat(join(folder, ...key.split('/'))));
    if (found?.isFile() && isMediaKey(key)) page.push({ key, modifiedAt: found.mtime });
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Links are not followed: they may lead out of the store. `begin`: the last key's remaining names. */
async function* keysIn(folder: string, prefix: MediaKey, [first, ...rest]: string[]): AsyncGenerator<MediaKey> {
  const entries = (await orNull(readdir(join(folder, ...prefix.split('/')), { withFileTypes: true }))) ?? [];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    if (first !== undefined && name < first) continue;
    if (entry.isDirectory()) yield* keysIn(folder, `${prefix}/${name}`, name === first ? rest : []);
    else if (entry.isFile() && name !== first) yield `${prefix}/${name}`;
  }
}

/** Null for what was removed meanwhile. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCodeOf(error) ?? '')) return null;
    throw error;
  }
}
