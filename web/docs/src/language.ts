import { find, make } from './dom.ts';

const KEY = 'rendio-docs-language';
const NAMES: Record<string, string> = { en: 'English', tr: 'Türkçe', es: 'Español' };

let chosen = 'en';

/** The chosen language: the requests ask for answers in it. */
export function language(): string {
  return chosen;
}

/** Draws the language switch. `onChange` is called when the user chooses another language. */
export function startLanguages(languages: string[], onChange: () => void): void {
  for (const code of languages) {
    const input = make('input', { type: 'radio', name: 'language', value: code });
    input.checked = code === chosen;
    input.addEventListener('change', () => {
      chosen = code;
      sessionStorage.setItem(KEY, code);
      onChange();
    });
    const short = make('span', { 'aria-hidden': 'true' }, code.toUpperCase());
    const long = make('span', { class: 'visually-hidden', lang: code }, NAMES[code] ?? code);
    find('.languages').append(make('label', { title: NAMES[code] ?? code }, input, short, long));
  }
}

/** Restores what was chosen earlier in this tab, else uses the browser's language if it is supported. */
export function readLanguage(languages: string[]): void {
  const kept = sessionStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
  if (languages.includes(kept)) chosen = kept;
}
