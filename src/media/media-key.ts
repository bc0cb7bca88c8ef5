/** The rule for keys of objects in every store. */
import { Problem } from '../kernel/errors.ts';
import { isPlainSegment } from './object-path.ts';
import type { MediaKey } from './store.ts';

/** S3 allows 1024 bytes, and a path on disk only a little more. */
const KEY_CHARS_MAX = 900;

/** Throws ERR_4006 unless the key is `<bucket>/<path>` of plain segments: no `.` or `..`, nothing that needs escaping. */
export function checkMediaKey(key: MediaKey): void {
  const segments = key.split('/');
  if (segments.length < 2 || key.length > KEY_CHARS_MAX || !segments.every(isPlainSegment)) {
    throw new Problem('ERR_4006', { details: { field: 'path' } });
  }
}
