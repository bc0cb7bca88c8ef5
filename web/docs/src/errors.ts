import type { ErrorExplained } from './api.ts';
import { find, make, prose } from './dom.ts';
import { language } from './language.ts';

/** Draws every error: its code, its name, its message in the chosen language, and what to do about it. */
export function drawErrors(errors: ErrorExplained[]): void {
  find('.error-list').replaceChildren(
    ...errors.map(({ code, name, advice, statuses, message }) =>
      make(
        'li',
        { id: code },
        make(
          'h3',
          {},
          make('code', {}, code),
          ` ${name} `,
          make('span', { class: 'status' }, statuses.length > 0 ? statuses.join(', ') : 'jobs only'),
        ),
        make('p', { class: 'sentence', lang: language() }, message),
        make('p', { class: 'advice' }, ...prose(advice)),
      ),
    ),
  );
}
