/** Byte positions, both inclusive. */
export type ByteRange = { start: number; end: number };

export type RangeRequest = { kind: 'whole' } | { kind: 'part'; range: ByteRange } | { kind: 'unsatisfiable' };

const WHOLE: RangeRequest = { kind: 'whole' };
/** Far longer than any range; on a longer header the pattern below would take long. */
const HEADER_CHARACTERS_MAX = 100;

/**
 * Parses a `Range` header for an object of `bytes` bytes (RFC 9110 §14). Several ranges, other units and malformed headers
 * select the whole object. Never throws.
 */
export function parseRange(header: string | null | undefined, bytes: number): RangeRequest {
  if ((header?.length ?? 0) > HEADER_CHARACTERS_MAX) return WHOLE;
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return WHOLE;
  if (first === '')
    return last.match(/[1-9]/) && bytes > 0 ? part(Math.max(0, bytes - Number(last)), bytes - 1) : UNSATISFIABLE;
  const start = Number(first);
  const end = last === '' ? bytes - 1 : Number(last);
  if (last !== '' && end < start) return WHOLE;
  return start < bytes ? part(start, Math.min(end, bytes - 1)) : UNSATISFIABLE;
}

const UNSATISFIABLE: RangeRequest = { kind: 'unsatisfiable' };

function part(start: number, end: number): RangeRequest {
  return { kind: 'part', range: { start, end } };
}

/** Whether `If-Range` allows a range in the response: it is absent, or names exactly the stored object. */
export function ifRangeMatches(ifRange: string | null | undefined, etag: string, modifiedAt: Date): boolean {
  const validator = ifRange?.trim() ?? '';
  if (validator === '') return true;
  if (validator.startsWith('"')) return validator === etag;
  return validator === modifiedAt.toUTCString();
}

/** Whether the caller's copy is current, by `If-None-Match` or else `If-Modified-Since`. */
export function isUnchanged(headers: Headers, etag: string, modifiedAt: Date): boolean {
  const ifNoneMatch = headers.get('If-None-Match');
  if (ifNoneMatch !== null) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(etag);
  }
  const since = Date.parse(headers.get('If-Modified-Since') ?? '');
  return Math.floor(modifiedAt.getTime() / 1000) * 1000 <= since;
}
