import { parseUuid } from '../../kernel/ids.ts';

/** An object's address as any storage client writes it; who answers there does not matter, only what it names. */
const ADDRESS =
  /^(?:https?:\/\/[^/?#]+)?\/?(?:[^?#]*\/)?(?:object|render\/image)\/(?:(?:sign|public|authenticated)\/)?user_uploads\/(.+)$/i;
const SEGMENT = /^[A-Za-z0-9._-]{1,200}$/;
const PATH_CHARACTERS_MAX = 800;

/**
 * The path inside the bucket `user_uploads` that a picture is named by: the path itself, with or without the bucket before it,
 * or any form of its address. Null where it names none.
 */
export function imagePathOf(imageUrl: string): { path: string; ownerId: string } | null {
  const named = decoded(imageUrl.replace(/[?#].*$/s, ''));
  const path = ADDRESS.exec(named)?.[1] ?? named.replace(/^\/?(?:user_uploads\/)?/, '');
  const [first, ...rest] = path.split('/');
  const ownerId = parseUuid(first);
  const isPlain = (segment: string) => SEGMENT.test(segment) && segment !== '.' && segment !== '..';
  if (ownerId === null || rest.length === 0 || path.length > PATH_CHARACTERS_MAX || !rest.every(isPlain)) return null;
  return { path: [ownerId, ...rest].join('/'), ownerId };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
