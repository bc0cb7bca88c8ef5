/** The languages people are spoken to in, the default first. */
export const LOCALES = ['en', 'tr', 'es'] as const;

export type Locale = (typeof LOCALES)[number];

export function isLocale(value: unknown): value is Locale {
  return LOCALES.some((locale) => locale === value);
}

/** Longer headers are cut here: no browser sends more, and the rest could only cost time. */
const HEADER_CHARACTERS_MAX = 1000;

const QUALITY = /^(?:0?\.\d+|[01](?:\.\d*)?)$/;

/**
 * The language to answer in: the best of ours that an `Accept-Language` header asks for, else `fallback`.
 * Regions count as their language (`tr-TR`, `es-419`), `q=0` refuses, what cannot be read is skipped. Never throws.
 */
export function pickLocale(header: string | null | undefined, fallback: Locale = 'en'): Locale {
  const wishes = readWishes(header ?? '');
  const quality = (locale: Locale) => wishes.get(locale) ?? wishes.get('*') ?? 0;

  // Among equals the header's own order decides; what only the wildcard admits is tried from the fallback on.
  const inOrder = [...[...wishes.keys()].filter(isLocale), fallback, ...LOCALES];
  const best = inOrder.reduce((winner, locale) => (quality(locale) > quality(winner) ? locale : winner));
  if (quality(best) > 0) return best;
  return wishes.get(fallback) === 0 && wishes.get('en') !== 0 ? 'en' : fallback;
}

/** The highest quality asked for each primary language (`*` for any), in the header's order. */
function readWishes(header: string): Map<string, number> {
  const wishes = new Map<string, number>();
  for (const entry of header.slice(0, HEADER_CHARACTERS_MAX).split(',')) {
    const [range = '', ...parameters] = entry.toLowerCase().split(';');
    // Underscores are not in the standard, but they are what many phones call their locale.
    const [language = ''] = range.trim().split(/[-_]/);
    const quality = readQuality(parameters);
    if (language === '' || quality === null) continue;
    wishes.set(language, Math.max(quality, wishes.get(language) ?? 0));
  }
  return wishes;
}

function readQuality(parameters: string[]): number | null {
  const weight = parameters.map((parameter) => parameter.split('=')).find(([name = '']) => name.trim() === 'q');
  if (weight === undefined) return 1;
  const text = (weight[1] ?? '').trim();
  const quality = QUALITY.test(text) ? Number(text) : Number.NaN;
  return quality <= 1 ? quality : null;
}
