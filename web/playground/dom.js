/** Small helpers for elements. */
import { ApiError, ConnectionError } from './http.js';
import { t } from './strings.js';

/** The page's element of this id. @returns {any} */
export const $ = (id) => document.getElementById(id);

/** An element with these properties and children. @returns {any} */
export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Shows a text, or nothing at all. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === '';
}

/** Tells why something failed, with the id that support can look it up by; null clears it. */
export function sayError(element, error) {
  element.hidden = !error;
  element.replaceChildren();
  if (!error) return;
  const isRefusal = error instanceof ApiError;
  const text = error instanceof ConnectionError ? t('lost') : (isRefusal && error.message) || t('unexpected');
  element.append(make('p', {}, text));
  if (isRefusal && error.requestId) {
    element.append(make('p', { className: 'reference' }, `${t('reference')} `, make('code', {}, error.requestId)));
  }
}

/** Tells people who listen. */
export function announce(text) {
  say($('announce'), text);
}
