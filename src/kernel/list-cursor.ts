/** Cursors of lists with filters. A cursor belongs to one list with one set of filters. */
import { canonicalHash } from './hash.ts';

/** The last row of a page of a list in the order of time. `at`: in UTC, to the microsecond, as PostgreSQL keeps it. */
export type Position = { at: string; id: string };

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
/** Enough to tell lists apart; nothing depends on its being hard to guess. */
const TAG_LENGTH = 12;

/** Where a page ended, as an opaque text, for the next page of the same list. */
export async function encodeKey(list: string, filters: object, key: string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([await tagOf(list, filters), ...key]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** What is in a cursor; null for a text that is no cursor, or one of another list or of other filters. */
export async function decodeKey(list: string, filters: object, cursor: string): Promise<string[] | null> {
  const [tag, ...key] = parse(cursor);
  if (tag !== (await tagOf(list, filters))) return null;
  return key.every((part) => typeof part === 'string' && isStorable(part)) ? (key as string[]) : null;
}

export function encodePosition(list: string, filters: object, { at, id }: Position): Promise<string> {
  return encodeKey(list, filters, [at, id]);
}

export async function decodePosition(list: string, filters: object, cursor: string): Promise<Position | null> {
  const [at, id, ...more] = (await decodeKey(list, filters, cursor)) ?? [];
  return at !== undefined && isTime(at) && id !== undefined && more.length === 0 ? { at, id } : null;
}

/** For a list in the order of a sequence number. */
export function encodeSeq(list: string, filters: object, seq: number): Promise<string> {
  return encodeKey(list, filters, [String(seq)]);
}

export async function decodeSeq(list: string, filters: object, cursor: string): Promise<number | null> {
  const [seq = '', ...more] = (await decodeKey(list, filters, cursor)) ?? [];
  const number = /^[1-9]\d{0,15}$/.test(seq) ? Number(seq) : Number.NaN;
  return Number.isSafeInteger(number) && more.length === 0 ? number : null;
}

async function tagOf(list: string, filters: object): Promise<string> {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined && value !== null);
  return (await canonicalHash([list, Object.fromEntries(given)])).slice(0, TAG_LENGTH);
}

function parse(cursor: string): unknown[] {
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return Array.isArray(parsed) ? parsed : [];
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
