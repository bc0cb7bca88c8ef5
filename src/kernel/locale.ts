/** The languages of all messages for users, the default first. */
export const LOCALES = ['en', 'tr', 'es'] as const;

export type Locale = (typeof LOCALES)[number];

export function isLocale(value: unknown): value is Locale {
  return LOCALES.some((locale) => locale === value);
}

/** Longer headers are cut: no browser sends more, and reading the rest only costs time. */
const HEADER_CHARACTERS_MAX = 1000;

const QUALITY = /^(?:0?\.\d+|[01](?:\.\d*)?)$/;

/**
 * The language of the response: the supported one that an `Accept-Language` header prefers, else `fallback`.
 * Regions count as their language (`tr-TR`, `es-419`), `q=0` excludes one, invalid entries are skipped. Never throws.
 */
export function pickLocale(header: string | null | undefined, fallback: Locale = 'en'): Locale {
  const preferences = readPreferences(header ?? '');
  const quality = (locale: Locale) => preferences.get(locale) ?? preferences.get('*') ?? 0;

  // With equal quality, the header's order decides; then come languages that only `*` allows, the fallback first.
  const inOrder = [...[...preferences.keys()].filter(isLocale), fallback, ...LOCALES];
  const best = inOrder.reduce((winner, locale) => (quality(locale) > quality(winner) ? locale : winner));
  if (quality(best) > 0) return best;
  return preferences.get(fallback) === 0 && preferences.get('en') !== 0 ? 'en' : fallback;
}

/** The highest quality of each primary language (`*` for any), in the header's order. */
function readPreferences(header: string): Map<string, number> {
  const preferences = new Map<string, number>();
  for (const entry of header.slice(0, HEADER_CHARACTERS_MAX).split(',')) {
    const [range = '', ...parameters] = entry.toLowerCase().split(';');
    // Underscores are not in the standard, but many phones send their locale with one.
    const [language = ''] = range.trim().split(/[-_]/);
    const quality = readQuality(parameters);
    if (language === '' || quality === null) continue;
    preferences.set(language, Math.max(quality, preferences.get(language) ?? 0));
  }
  return preferences;
}

function readQuality(parameters: string[]): number | null {
  const weight = parameters.map((parameter) => parameter.split('=')).find(([name = '']) => name.trim() === 'q');
  if (weight === undefined) return 1;
  const text = (weight[1] ?? '').trim();
  const quality = QUALITY.test(text) ? Number(text) : Number.NaN;
  return quality <= 1 ? quality : null;
}
