import { Problem } from '../kernel/errors.ts';
import { findChangedValue } from './changed-values.ts';

/** No valid request is nested half as deep; a deeper one is an attempt to exhaust the stack. */
const DEPTH_MAX = 32;
const FIELD_CHARACTERS_MAX = 100;

export type JsonObject = { [key: string]: unknown };

/**
 * Parses the JSON object in a body; an empty body is `{}`. Throws ERR_4006 that names the fault: bytes that are not UTF-8,
 * text that is not JSON, JSON that is not an object, nesting that is too deep, characters that PostgreSQL cannot store.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  return objectIn(decode(bytes));
}

/**
 * The same for a caller's request, in which every value counts: throws ERR_4006 also for a number that a double cannot hold
 * and for a key that stands twice in one object. JSON.parse would change the one and drop the other.
 */
export function parseExactJsonObject(bytes: Uint8Array): JsonObject {
  const text = decode(bytes);
  const value = objectIn(text);
  const changed = findChangedValue(text);
  if (changed) throw invalidBody(changed.reason, changed.path);
  return value;
}

function objectIn(text: string): JsonObject {
  if (text.trim() === '') return {};
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidBody('not_an_object');
  rejectUnstorableText(value);
  return value as JsonObject;
}

/** Throws ERR_4006 that names the field if a string or a key in `value` contains NUL or half a surrogate pair. */
export function rejectUnstorableText(value: unknown, path: string[] = []): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw invalidBody('forbidden_characters', path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (path.length >= DEPTH_MAX) throw invalidBody('too_deep');
  for (const [key, member] of Object.entries(value)) {
    if (!isStorable(key)) throw invalidBody('forbidden_characters', path);
    rejectUnstorableText(member, [...path, key]);
  }
}

/** Formats a path into a body for `details.field`: `settings.duration`, or `body` for the whole. */
export function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.') || 'body';
  return name.slice(0, FIELD_CHARACTERS_MAX).toWellFormed();
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidBody('malformed_text');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidBody('malformed_json');
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

function invalidBody(reason: string, path: PropertyKey[] = []): Problem {
  return new Problem('ERR_4006', { details: { field: fieldName(path), reason } });
}
