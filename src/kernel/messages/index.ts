import { IntlMessageFormat } from 'intl-messageformat';
import type { ErrorCode, ProblemDetails } from '../errors.ts';
import type { Locale } from '../locale.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import type { Sentences } from './sentences.ts';
import { tr } from './tr.ts';
import { impliedVariants, type SentenceValues, sentenceValues } from './values.ts';

type Kind = 'number' | 'any';
type Sentence = { format: IntlMessageFormat; needs: [name: string, kind: Kind][] };
type Elements = ReturnType<IntlMessageFormat['getAst']>;

const SENTENCES: Record<Locale, Sentences> = { en, tr, es };
const parsed = new Map<string, Sentence>();

/**
 * The message for users about `code`, in their language. `details.reason` picks a variant and the other details fill it; a
 * simpler variant is used if a value is missing. Never throws.
 */
export function messageFor(code: ErrorCode, locale: Locale, details: ProblemDetails = {}): string {
  const variants: Record<string, string> = SENTENCES[locale][code];
  const values = sentenceValues(details, locale);
  const reason = typeof details.reason === 'string' ? [details.reason] : [];
  for (const variant of [...reason, ...impliedVariants(values), 'detailed', 'plain']) {
    const text = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
    if (text === undefined) continue;
    const sentence = parse(text, locale);
    if (isComplete(sentence, values)) return String(sentence.format.format(values));
  }
  return SENTENCES[locale].ERR_6003.plain;
}

function parse(text: string, locale: Locale): Sentence {
  const key = `${locale} ${text}`;
  const known = parsed.get(key);
  if (known) return known;
  const format = new IntlMessageFormat(text, locale);
  const sentence = { format, needs: needsOf(format.getAst()) };
  parsed.set(key, sentence);
  return sentence;
}

function isComplete({ needs }: Sentence, values: SentenceValues): boolean {
  return needs.every(([name, kind]) =>
    kind === 'number' ? typeof values[name] === 'number' : Object.hasOwn(values, name),
  );
}

/** The values that a sentence requires; the ones that it formats as numbers must be numbers. */
function needsOf(elements: Elements): Sentence['needs'] {
  return elements.flatMap((element): Sentence['needs'] => {
    if (!('value' in element)) return [];
    if ('offset' in element) {
      return [[element.value, 'number'], ...Object.values(element.options).flatMap((option) => needsOf(option.value))];
    }
    if ('style' in element) return [[element.value, 'number']];
    return element.type === 1 ? [[element.value, 'any']] : [];
  });
}
