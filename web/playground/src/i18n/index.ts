import { en, type Words } from './en.ts';

export type { Words };
export const LANGUAGES = ['en', 'tr', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language's name, as its readers know it. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', tr: 'Türkçe', es: 'Español' };

/** English is always there; the others come when they are asked for. */
const dictionaries = new Map<Language, Words>([['en', en]]);
const SOURCES = {
  en: async () => en,
  tr: async () => (await import('./tr.ts')).tr,
  es: async () => (await import('./es.ts')).es,
};

/** Fetches a language's words; resolves also where they do not come. */
export async function loadWords(language: Language): Promise<void> {
  const words = await SOURCES[language]().catch(() => null);
  if (words) dictionaries.set(language, words);
}

/** The words of a language that was loaded; English for one that was not. */
export function wordsOf(language: Language): Words {
  return dictionaries.get(language) ?? en;
}

export function isLanguage(text: unknown): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** The first language of the browser's that the page speaks. */
export function browserLanguage(): Language {
  return navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}

/** A name for people; one that no dictionary knows, such as a new setting's, is made readable. */
export function labelOf(names: Record<string, string>, name: string): string {
  return names[name] ?? name.replaceAll(/[_-]/g, ' ').replace(/^./, (first) => first.toUpperCase());
}
