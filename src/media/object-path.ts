/** The buckets and the names of the objects in them. Each rule about a name or a size is defined here only. */
import { parseUuid } from '../kernel/ids.ts';

/** The bucket of the images that users upload; the server writes the other two. */
export const UPLOADS = 'user_uploads';
export const BUCKETS: readonly string[] = ['videos', 'thumbnails', UPLOADS];

/** The largest upload. */
export const UPLOAD_BYTES_MAX = 10_485_760;
/** The largest video: a minute of 4K. Supabase's buckets have no limit of their own, so that this is the only one. */
export const VIDEO_BYTES_MAX = 500 * 1024 * 1024;

/**
 * What may stand between the slashes of an object's name: the characters that Supabase accepts, except `?`, which would begin
 * the query of a URL that is written without escaping. Files have other names, which need no escaping anywhere.
 */
export const SEGMENT_PATTERN = "[A-Za-z0-9!'()*+,.:;=@&$ _-]{1,200}";
const SEGMENT = new RegExp(`^${SEGMENT_PATTERN}$`);
const PATH_CHARACTERS_MAX = 800;

/** `.` and `..` would be other folders. */
function isSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment !== '.' && segment !== '..';
}

export type ObjectPath = { path: string; ownerId: string };

/** The path inside a bucket, with its owner's id in lower case; null if no object can have this path. */
export function parseObjectPath(text: string): ObjectPath | null {
  const [first, ...rest] = text.split('/');
  const ownerId = parseUuid(first);
  if (ownerId === null || rest.length === 0 || text.length > PATH_CHARACTERS_MAX) return null;
  if (!rest.every(isSegment)) return null;
  return { path: [ownerId, ...rest].join('/'), ownerId };
}

/** Every form of URL that storage clients use for an uploaded object. The host is ignored: only the path counts. */
const UPLOAD_URL =
  /^(?:https?:\/\/[^/?#]+)?\/?(?:[^?#]*\/)?(?:object|render\/image)\/(?:(?:info|sign|public|authenticated|upload)\/){0,2}user_uploads\/(.+)$/i;

/**
 * The path inside `user_uploads` that an `image_url` names: the path itself, with or without the bucket in front of it, or
 * any form of its URL. Null if it names no path.
 */
export function parseImageUrl(imageUrl: string): ObjectPath | null {
  const named = decodeAgain(decodePath(imageUrl.replace(/[?#].*$/s, '')));
  return parseObjectPath(UPLOAD_URL.exec(named)?.[1] ?? named.replace(/^\/?(?:user_uploads\/)?/, ''));
}

/** Undoes a second escape, which Supabase's client adds to the signed URLs that it is given. No name contains a `%`. */
export function decodeAgain(path: string): string {
  return path.includes('%') ? decodePath(path) : path;
}

/** The path in a form that every client can put into a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** The id of the job that a video or a thumbnail belongs to: the last segment, without its extension. */
export function jobIdOf(path: string): string | null {
  return parseUuid(/([^/]+)\.[a-z0-9]+$/.exec(path)?.[1]);
}

/** Empty if the text cannot be decoded. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
