import { en, type Messages } from './en.ts';

export type { Messages };
export const LANGUAGES = ['en', 'tr', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language's name in that language. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', tr: 'Türkçe', es: 'Español' };

/** English is part of the bundle; the others are loaded when they are needed. */
const dictionaries = new Map<Language, Messages>([['en', en]]);
const SOURCES = {
  en: async () => en,
  tr: async () => (await import('./tr.ts')).tr,
  es: async () => (await import('./es.ts')).es,
};

/** Loads a language's messages. Resolves also when they cannot be loaded. */
export async function loadMessages(language: Language): Promise<void> {
  const messages = await SOURCES[language]().catch(() => null);
  if (messages) dictionaries.set(language, messages);
}

/** The messages of a language, or English when that language is not loaded. */
export function messagesOf(language: Language): Messages {
  return dictionaries.get(language) ?? en;
}

export function isLanguage(text: unknown): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** The first of the browser's languages that the page supports. */
export function browserLanguage(): Language {
  return navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}

/** A label for `name`. One without a translation, such as a new setting's, is made readable. */
export function labelOf(names: Record<string, string>, name: string): string {
  return names[name] ?? name.replaceAll(/[_-]/g, ' ').replace(/^./, (first) => first.toUpperCase());
}
