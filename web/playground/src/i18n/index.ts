import { en, type Words } from './en.ts';
import { es } from './es.ts';
import { tr } from './tr.ts';

export type { Words };
export const LANGUAGES = ['en', 'tr', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language's name, as its readers know it. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', tr: 'Türkçe', es: 'Español' };

const DICTIONARIES: Record<Language, Words> = { en, tr, es };

export function wordsOf(language: Language): Words {
  return DICTIONARIES[language];
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
