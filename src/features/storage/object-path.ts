/** The paths that a caller may write and read. */
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { BUCKETS, parseObjectPath, SEGMENT_PATTERN, UPLOADS } from '../../media/object-path.ts';

/**
 * Returns the path to write. `folders` are the ids whose folders belong to the caller. Throws ERR_4005 (403) outside of them,
 * ERR_4006 for an invalid name.
 */
export function writablePath(bucket: string, text: string, folders: readonly string[]): string {
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  const folder = parseUuid(text.split('/')[0]);
  if (bucket !== UPLOADS || folder === null || !folders.includes(folder))
    throw new Problem('ERR_4005', { status: 403 });
  const parsed = parseObjectPath(text);
  if (parsed) return parsed.path;
  throw new Problem('ERR_4006', { details: { field: 'path', reason: 'file_name', pattern: SEGMENT_PATTERN } });
}

/** Returns the paths that this user may read, by what the caller calls them; others are left out. */
export function readablePaths(bucket: string, texts: string[], folders: readonly string[]): Map<string, string> {
  const paths = new Map<string, string>();
  for (const text of texts) {
    const parsed = BUCKETS.includes(bucket) ? parseObjectPath(text) : null;
    if (parsed && folders.includes(parsed.ownerId)) paths.set(text, parsed.path);
  }
  return paths;
}

/** Returns the path to read. Throws ERR_4007 for another user's path and for an invalid one alike. */
export function readablePath(bucket: string, text: string, folders: readonly string[]): string {
  const path = readablePaths(bucket, [text], folders).get(text);
  if (path === undefined) throw new Problem('ERR_4007');
  return path;
}

/** Returns a folder's name as paths have it: users' ids in lower case. */
export function folderName(text: string): string {
  const [owner = '', ...rest] = text.split('/');
  return [parseUuid(owner) ?? owner, ...rest].join('/');
}
