/** Which paths a caller may write and read. */
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { BUCKETS, parseObjectPath, SEGMENT_PATTERN, UPLOADS } from '../../media/object-path.ts';

/** The path that a caller wants to write. Throws ERR_4005 (403) outside the caller's own folder, ERR_4006 for refused names. */
export function writablePath(bucket: string, text: string, userId: string): string {
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  if (bucket !== UPLOADS || parseUuid(text.split('/')[0]) !== userId) throw new Problem('ERR_4005', { status: 403 });
  const parsed = parseObjectPath(text);
  if (parsed) return parsed.path;
  throw new Problem('ERR_4006', { details: { field: 'path', reason: 'file_name', pattern: SEGMENT_PATTERN } });
}

/** The path that a caller wants to read. Another user's, an impossible one and none are the same ERR_4007. */
export function readablePath(bucket: string, text: string, userId: string): string {
  const parsed = BUCKETS.includes(bucket) ? parseObjectPath(text) : null;
  if (parsed?.ownerId !== userId) throw new Problem('ERR_4007');
  return parsed.path;
}
