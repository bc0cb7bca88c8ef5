import type { ProblemDetails } from '../errors.ts';
import type { Locale } from '../locale.ts';

export type SentenceValues = Record<string, string | number>;

/** Text from callers is quoted in messages up to this length. */
const TEXT_CHARACTERS_MAX = 100;
/** Longer waits are given in minutes. */
const SECONDS_SHOWN_MAX = 90;
const SIZE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** The details of a problem as values for a sentence: numbers, short texts, lists and sizes in the user's language. */
export function sentenceValues(details: ProblemDetails, locale: Locale): SentenceValues {
  const values: SentenceValues = {};
  for (const [name, value] of Object.entries(details)) {
    if (typeof value === 'number' && Number.isFinite(value)) values[name] = value;
    if (typeof value === 'string') values[name] = shorten(value);
  }
  const { allowed, retry_after: retryAfter, bytes_max: bytesMax } = details;
  if (Array.isArray(allowed)) Object.assign(values, listOf(allowed, locale));
  if (isRecord(allowed)) Object.assign(values, sentenceValues({ ...allowed, allowed: undefined }, locale));
  if (typeof retryAfter === 'number') {
    values.minutes = Math.ceil(retryAfter / 60);
    values.hours = Math.ceil(retryAfter / 3600);
  }
  if (typeof bytesMax === 'number') values.size = sizeOf(bytesMax, locale);
  return values;
}

/** The variants of a sentence that fit the values, the most specific first. */
export function impliedVariants(values: SentenceValues): string[] {
  const has = (...names: string[]) => names.every((name) => name in values);
  const implied: [boolean, string][] = [
    [Number(values.available) < 0, 'debt'],
    [Number(values.retry_after) > SECONDS_SHOWN_MAX, 'minutes'],
    [has('refunded'), 'refunded'],
    [has('size'), 'sized'],
    [has('allowed'), 'listed'],
    [has('minimum', 'maximum'), 'range'],
    [has('minimum'), 'least'],
    [has('maximum'), 'most'],
    [has('minLength', 'maxLength'), 'lengths'],
    [has('minLength'), 'shorter'],
    [has('maxLength'), 'longer'],
  ];
  return implied.filter(([holds]) => holds).map(([, variant]) => variant);
}

function listOf(items: unknown[], locale: Locale): { allowed?: string } {
  const words = items.filter((item) => ['string', 'number', 'boolean'].includes(typeof item)).map(String);
  if (words.length === 0) return {};
  return { allowed: new Intl.ListFormat(locale, { type: 'disjunction' }).format(words.map(shorten)) };
}

function sizeOf(bytes: number, locale: Locale): string {
  const power = Math.min(SIZE_UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const unit = SIZE_UNITS[power] ?? 'byte';
  const style = { style: 'unit', unit, maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale, style).format(bytes / 1024 ** power);
}

function shorten(text: string): string {
  return text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…`.toWellFormed() : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
