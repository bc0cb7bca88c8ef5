import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCreditCode } from '../../src/kernel/credit-code.ts';

test('a code is the same in any case, with dashes, spaces, accents and full-width characters', () => {
  for (const text of [
    'SUMMER26',
    'summer26',
    ' Sum-mer 26\n',
    'S U M M E R 2 6',
    'SUM–MER—26',
    'SUM−MER‐26',
    'SUM\u00a0MER\u200b\u00ad26\ufeff',
    'ｓｕｍｍｅｒ－２６',
    '𝐒𝐔𝐌𝐌𝐄𝐑𝟐𝟔',
    'súmmër26',
  ]) {
    assert.equal(parseCreditCode(text), 'SUMMER26', JSON.stringify(text));
  }
});

test('a code typed on a Turkish keyboard, whose capital of i is İ, is the same', () => {
  for (const text of ['GIFT2026', 'gift2026', 'gıft2026', 'GİFT2026', 'Gi̇FT2026']) {
    assert.equal(parseCreditCode(text), 'GIFT2026', text);
  }
});

test('what cannot be a code is none', () => {
  for (const text of [
    '',
    'ABC',
    'A-B-C',
    '   ',
    'A'.repeat(41),
    'ABC_D',
    "ABCD'",
    "' or 1=1 --",
    'ABCD;',
    'КОД2026',
    'ABC½',
    'ABCD😀',
    '٢٠٢٦',
    'ABCD%',
    'ABCD\u0000',
  ]) {
    assert.equal(parseCreditCode(text), null, JSON.stringify(text));
  }
  assert.equal(parseCreditCode('A'.repeat(40)), 'A'.repeat(40));
});

test('what is parsed is in the stored form and parses to itself, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      const code = parseCreditCode(text);
      if (code === null) return;
      assert.match(code, /^[A-Z0-9]{4,40}$/);
      assert.equal(parseCreditCode(code), code);
      assert.equal(parseCreditCode(code.toLowerCase()), code);
    }),
  );
});
