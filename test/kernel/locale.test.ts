import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLocale, LOCALES, type Locale, pickLocale } from '../../src/kernel/locale.ts';

const cases: [header: string | null | undefined, fallback: Locale, expected: Locale][] = [
  [undefined, 'en', 'en'],
  [null, 'tr', 'tr'],
  ['', 'es', 'es'],
  ['tr', 'en', 'tr'],
  ['tr-TR', 'en', 'tr'],
  ['es-419,es;q=0.9', 'en', 'es'],
  ['TR-tr', 'en', 'tr'],
  ['tr_TR', 'en', 'tr'],
  ['fr-CH, fr;q=0.9, es;q=0.8, en;q=0.7', 'tr', 'es'],
  ['en;q=0.5, tr;q=0.8', 'en', 'tr'],
  ['en;q=0.5,tr;q=0.5', 'es', 'en'],
  ['tr;q=0.5,en;q=0.5', 'es', 'tr'],
  ['es;q=1.0, tr', 'en', 'es'],
  ['en;q=0.001, tr;q=0.002', 'es', 'tr'],
  ['es ; q=0.9 , tr ; q=0.91', 'en', 'tr'],
  ['tr;q=0, es;q=0.1', 'en', 'es'],
  ['tr;q=0', 'tr', 'en'],
  ['en;q=0', 'en', 'en'],
  ['es-MX;q=0, es;q=0.4', 'en', 'es'],
  ['es;q=0.4, es-MX;q=0, en;q=0.1', 'en', 'es'],
  ['*', 'tr', 'tr'],
  ['fr, *;q=0.1', 'es', 'es'],
  ['*, en;q=0.5', 'en', 'tr'],
  ['*;q=0', 'es', 'es'],
  ['en;q=0, *', 'en', 'tr'],
  ['de, fr', 'tr', 'tr'],
  ['tr;q=2, es', 'en', 'es'],
  ['tr;q=1.5, es', 'en', 'es'],
  ['tr;q=x, es', 'en', 'es'],
  ['tr;q=-1, es', 'en', 'es'],
  ['tr;q=, es;q=.5', 'en', 'es'],
  ['tr;level=1;q=0.9, es;q=0.8', 'en', 'tr'],
  [';;;,,,=;q', 'es', 'es'],
  ['english, turkish', 'es', 'es'],
];

for (const [header, fallback, expected] of cases) {
  test(`${JSON.stringify(header)} with the fallback ${fallback} gives ${expected}`, () => {
    assert.equal(pickLocale(header, fallback), expected);
  });
}

test('the default fallback is English', () => {
  assert.equal(pickLocale('ja'), 'en');
});

test('any header gives a supported language', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('tr', 'es-', 'q=', ';q=0.5', ',', '*', '__proto__', 'constructor'),
  );
  const header = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  fc.assert(fc.property(header, fc.constantFrom(...LOCALES), (text, fallback) => isLocale(pickLocale(text, fallback))));
});

test('only the beginning of a huge header is read', () => {
  const header = `${'fr,'.repeat(400_000)}tr`;
  assert.equal(pickLocale(header, 'es'), 'es');
});
