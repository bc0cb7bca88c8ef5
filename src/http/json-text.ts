import { Problem } from '../kernel/errors.ts';

/** No request of ours is nested half as deep; what is deeper is made to exhaust somebody's stack. */
const DEPTH_MAX = 32;
const FIELD_CHARACTERS_MAX = 100;

export type JsonObject = { [key: string]: unknown };

/**
 * The JSON object in a body. An empty body is `{}`. Throws ERR_4006 naming what is wrong: bytes that are not UTF-8, text
 * that is not JSON, JSON that is no object, nesting that is too deep, characters that PostgreSQL cannot store.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const text = decode(bytes);
  if (text.trim() === '') return {};
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal('not_an_object');
  refuseBadText(value);
  return value as JsonObject;
}

/** Throws ERR_4006 naming the field when a string or a key in `value` holds NUL or half a surrogate pair. */
export function refuseBadText(value: unknown, path: string[] = []): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw refusal('forbidden_characters', path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (path.length >= DEPTH_MAX) throw refusal('too_deep');
  for (const [key, member] of Object.entries(value)) {
    if (!isStorable(key)) throw refusal('forbidden_characters', path);
    refuseBadText(member, [...path, key]);
  }
}

/** A path into a body as `details.field` shows it: `settings.duration`, or `body` for the whole. */
export function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.') || 'body';
  return name.slice(0, FIELD_CHARACTERS_MAX).toWellFormed();
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refusal('malformed_text');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed_json');
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

function refusal(reason: string, path: string[] = []): Problem {
  return new Problem('ERR_4006', { details: { field: fieldName(path), reason } });
}
