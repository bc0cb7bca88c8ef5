/** The last net below the rule that nothing private is logged: takes out of texts what is private by its form. */

const DEPTH_MAX = 6;
const ITEMS_MAX = 100;
/** A longer text is a document, and no line of a log. */
const CHARACTERS_MAX = 4_000;

/** Most texts have none of these, and cost one search. */
const SUSPICIOUS = /[@?#]|eyJ|earer/;
/** Each begins where a word begins, so that the time grows with the text’s length alone: a client may have sent it. */
const PRIVATE: [RegExp, string][] = [
  // JSON Web Tokens.
  [/(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]*){1,2}/g, '[token]'],
  [/\b[Bb]earer\s{1,5}[^\s"',;]+/g, 'Bearer [token]'],
  // The user of a URL, and its query and fragment, which may be signed.
  [/\b([a-zA-Z][a-zA-Z0-9+]{1,20}:\/\/)[^\s/@"']{1,200}@/g, '$1'],
  [/\b(https?:\/\/[^\s"'<>?#]{1,500})[?#][^\s"'<>]*/g, '$1'],
  [/(?<![\w.%+-])[\w.%+-]+@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, '[email]'],
];

/** The text without what is private. */
export function scrubText(text: string): string {
  const short = text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
  if (!SUSPICIOUS.test(short)) return short;
  return PRIVATE.reduce((scrubbed, [pattern, by]) => scrubbed.replace(pattern, by), short);
}

/** The value with all of its texts scrubbed, and with each error as `describe` puts it. Bounded in depth and length. */
export function scrub(value: unknown, describe: (error: Error) => object, depth = 0): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= DEPTH_MAX) return '[deep]';
  if (value instanceof Error) return scrub(describe(value), describe, depth + 1);
  // Bytes are never read by people.
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => scrub(item, describe, depth + 1));
  return scrubFields(value, describe, depth);
}

export function scrubFields(fields: object, describe: (error: Error) => object, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, ITEMS_MAX);
  return Object.fromEntries(entries.map(([name, value]) => [name, scrub(value, describe, depth + 1)]));
}
