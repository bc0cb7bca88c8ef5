/** The rule for keys of objects in every store. */
import { Problem } from '../kernel/errors.ts';
import type { MediaKey } from './store.ts';

/** S3 allows 1024 bytes, and a path on disk only a little more. */
const KEY_CHARS_MAX = 900;
/** Characters that need no escaping in a URL, on a disk or in a bucket. */
const PLAIN = /^[A-Za-z0-9._-]{1,200}$/;

/** Throws ERR_4006 unless the key is `<bucket>/<path>` of plain segments: no `.` or `..`, nothing that needs escaping. */
export function checkMediaKey(key: MediaKey): void {
  if (!isMediaKey(key)) throw new Problem('ERR_4006', { details: { field: 'path' } });
}

export function isMediaKey(text: string): boolean {
  const segments = text.split('/');
  return segments.length >= 2 && text.length <= KEY_CHARS_MAX && segments.every(isPlain);
}

function isPlain(segment: string): boolean {
  return PLAIN.test(segment) && segment !== '.' && segment !== '..';
}
