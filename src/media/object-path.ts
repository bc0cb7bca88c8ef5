/** The buckets and the names of the objects in them. Each rule about a name or a size is defined here only. */
import { parseUuid } from '../kernel/ids.ts';

/** The bucket of the images that users upload; the server writes the other two. */
export const UPLOADS = 'user_uploads';
export const BUCKETS: readonly string[] = ['videos', 'thumbnails', UPLOADS];

/** The largest upload. `db/grants-hosted.sql` gives Supabase's bucket the same limit. */
export const UPLOAD_BYTES_MAX = 10_485_760;

/** Characters that need no escaping in a URL, on a disk or in a bucket. */
export const SEGMENT_PATTERN = '[A-Za-z0-9._-]{1,200}';
const SEGMENT = new RegExp(`^${SEGMENT_PATTERN}$`);
const PATH_CHARACTERS_MAX = 800;

/** Whether the text may stand between the slashes of an object's name: `.` and `..` may not. */
export function isPlainSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== '.' && segment !== '..';
}

export type ObjectPath = { path: string; ownerId: string };

/** The path inside a bucket, with its owner's id in lower case; null if no object can have this path. */
export function parseObjectPath(text: string): ObjectPath | null {
  const [first, ...rest] = text.split('/');
  const ownerId = parseUuid(first);
  if (ownerId === null || rest.length === 0 || text.length > PATH_CHARACTERS_MAX) return null;
  if (!rest.every(isPlainSegment)) return null;
  return { path: [ownerId, ...rest].join('/'), ownerId };
}

/** Every form of URL that storage clients use for an uploaded object. The host is ignored: only the path counts. */
const UPLOAD_URL =
  /^(?:https?:\/\/[^/?#]+)?\/?(?:[^?#]*\/)?(?:object|render\/image)\/(?:(?:sign|public|authenticated)\/)?user_uploads\/(.+)$/i;

/**
 * The path inside `user_uploads` that an `image_url` names: the path itself, with or without the bucket in front of it, or
 * any form of its URL. Null if it names no path.
 */
export function parseImageUrl(imageUrl: string): ObjectPath | null {
  const named = decoded(imageUrl.replace(/[?#].*$/s, ''));
  return parseObjectPath(UPLOAD_URL.exec(named)?.[1] ?? named.replace(/^\/?(?:user_uploads\/)?/, ''));
}

/** The id of the job that a video or a thumbnail belongs to: the last segment, without its extension. */
export function jobIdOf(path: string): string | null {
  return parseUuid(/([^/]+)\.[a-z0-9]+$/.exec(path)?.[1]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
