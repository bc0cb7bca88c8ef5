/** Cursors of lists that are ordered by a time and an id. A cursor belongs to one list with one set of filters. */
import { canonicalHash } from './hash.ts';

/** The last row of a page. `at`: in UTC, to the microsecond, as PostgreSQL keeps it. */
export type Position = { at: string; id: string };

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
/** Enough to tell lists apart; nothing depends on its being hard to guess. */
const TAG_LENGTH = 12;

/** The position as an opaque text, for the next page of the same list. */
export async function encodePosition(list: string, filters: object, { at, id }: Position): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([await tagOf(list, filters), at, id]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The position in a cursor; null for a text that is no cursor, or one of another list or of other filters. */
export async function decodePosition(list: string, filters: object, cursor: string): Promise<Position | null> {
  const [tag, at, id] = parse(cursor);
  if (tag !== (await tagOf(list, filters)) || typeof at !== 'string' || typeof id !== 'string') return null;
  return isTime(at) && isStorable(id) ? { at, id } : null;
}

async function tagOf(list: string, filters: object): Promise<string> {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined && value !== null);
  return (await canonicalHash([list, Object.fromEntries(given)])).slice(0, TAG_LENGTH);
}

function parse(cursor: string): unknown[] {
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return Array.isArray(parsed) && parsed.length === 3 ? parsed : [];
  } catch {
    return [];
  }
}

/** Dates such as 31 February are none for PostgreSQL. */
function isTime(text: string): boolean {
  const date = TIME.test(text) && !text.startsWith('0000') ? new Date(text.replace(/\d{3}Z$/, 'Z')) : null;
  return date !== null && !Number.isNaN(date.getTime()) && text.startsWith(date.toISOString().slice(0, -1));
}

function isStorable(text: string): boolean {
  return text !== '' && text.isWellFormed() && !text.includes('\0');
}
