/** The page's own words in the reader's language; the server's sentences come in the same one. */
import { recall, remember } from './storage.js';
import { en } from './strings/en.js';
import { es } from './strings/es.js';
import { tr } from './strings/tr.js';

const dictionaries = { en, tr, es };
const wanted = [recall('language'), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
/** @type {keyof typeof dictionaries} */
let current = wanted.find((language) => language in dictionaries) ?? 'en';

/** `en`, `tr` or `es`. */
export function language() {
  return current;
}

/** Changes the language of what comes next, and remembers it. */
export function chooseLanguage(chosen) {
  current = chosen;
  remember('language', chosen);
  translatePage();
}

/**
 * @template {keyof typeof en} K @param {K} word
 * @param {(typeof en)[K] extends (...values: infer V) => string ? V : []} values @returns {string}
 */
export function t(word, ...values) {
  /** @type {any} */
  const entry = dictionaries[current][word];
  return typeof entry === 'function' ? entry(...values) : entry;
}

/** A word that may not be in the dictionary, such as a setting's name. */
export function label(name) {
  return dictionaries[current][name] ?? name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
}

/** Puts the words into the page's markup. */
export function translatePage() {
  document.documentElement.lang = current;
  for (const element of document.querySelectorAll('[data-t]')) {
    element.textContent = label(element.getAttribute('data-t'));
  }
}
