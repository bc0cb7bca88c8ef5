/** The names of stored objects, as storage clients write them in addresses. */
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';

export const UPLOADS = 'user_uploads';
export const BUCKETS = ['videos', 'thumbnails', UPLOADS];

/** Letters that every address, disk and bucket takes as they are; nothing that climbs or hides. */
export const SEGMENT_PATTERN = '[A-Za-z0-9._-]{1,200}';
const SEGMENT = new RegExp(`^${SEGMENT_PATTERN}$`);
const PATH_CHARACTERS_MAX = 800;

/** The path with its owner's id in lower case; null for what can name no object. */
export function parseObjectPath(text: string): { path: string; ownerId: string } | null {
  const [first, ...rest] = text.split('/');
  const ownerId = parseUuid(first);
  const isPlain = (segment: string) => SEGMENT.test(segment) && segment !== '.' && segment !== '..';
  if (ownerId === null || rest.length === 0 || text.length > PATH_CHARACTERS_MAX || !rest.every(isPlain)) return null;
  return { path: [ownerId, ...rest].join('/'), ownerId };
}

/** The path that somebody wants to write. Throws ERR_4005 (403) outside their own folder, ERR_4006 for names we do not keep. */
export function writablePath(bucket: string, text: string, userId: string): string {
  if (!BUCKETS.includes(bucket)) throw new Problem('ERR_4007');
  if (bucket !== UPLOADS || parseUuid(text.split('/')[0]) !== userId) throw new Problem('ERR_4005', { status: 403 });
  const parsed = parseObjectPath(text);
  if (parsed) return parsed.path;
  throw new Problem('ERR_4006', { details: { field: 'path', reason: 'file_name', pattern: SEGMENT_PATTERN } });
}

/** The path that somebody wants to read. Another's, an impossible one and none are the same ERR_4007. */
export function readablePath(bucket: string, text: string, userId: string): string {
  const parsed = BUCKETS.includes(bucket) ? parseObjectPath(text) : null;
  if (parsed?.ownerId !== userId) throw new Problem('ERR_4007');
  return parsed.path;
}
