import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IntlMessageFormat } from 'intl-messageformat';
import { generateErrorDocs } from '../../scripts/generate-error-docs.ts';
import { ERROR_STATUS, type ErrorCode } from '../../src/kernel/errors.ts';
import { LOCALES } from '../../src/kernel/locale.ts';
import { en } from '../../src/kernel/messages/en.ts';
import { es } from '../../src/kernel/messages/es.ts';
import { GUIDANCE } from '../../src/kernel/messages/guidance.ts';
import { messageFor } from '../../src/kernel/messages/index.ts';
import { tr } from '../../src/kernel/messages/tr.ts';

const CODES = Object.keys(ERROR_STATUS) as ErrorCode[];
const CATALOGUES: Record<string, Record<string, Record<string, string>>> = { en, tr, es };

test('every code of the contract has its status', () => {
  assert.deepEqual(ERROR_STATUS, {
    ...{ ERR_4001: 402, ERR_4002: 400, ERR_4003: 400, ERR_4004: 429, ERR_4005: 401, ERR_4006: 400, ERR_4007: 404 },
    ...{ ERR_4008: 409, ERR_4009: 422, ERR_4010: 403, ERR_4011: 400, ERR_4012: 409, ERR_4013: 403, ERR_4014: 413 },
    ...{ ERR_4015: 415, ERR_4016: 405, ERR_4017: 501, ERR_4018: 400, ERR_4019: 503 },
    ...{ ERR_5001: 504, ERR_5002: 502, ERR_5003: 400, ERR_5004: 409, ERR_5005: 502, ERR_5006: 503 },
    ...{ ERR_6001: 503, ERR_6002: 503, ERR_6003: 500 },
  });
});

test('the English message for missing credits is exactly that of the contract', () => {
  assert.equal(
    messageFor('ERR_4001', 'en', { required: 4, available: 2, credits_remaining: 2 }),
    'You need 4 credits, but only have 2. Please purchase more credits.',
  );
  assert.equal(
    messageFor('ERR_4001', 'en', { required: 1, available: 0 }),
    'You need 1 credit, but only have 0. Please purchase more credits.',
  );
});

test('the Turkish and Spanish messages for missing credits have the right plurals', () => {
  const four = { required: 4, available: 2 };
  assert.match(messageFor('ERR_4001', 'tr', four), /^Bunun için 4 kredi gerekiyor, ancak yalnızca 2 krediniz var\./);
  assert.match(messageFor('ERR_4001', 'es', four), /^Necesitas 4 créditos, pero solo tienes 2\./);
  assert.match(messageFor('ERR_4001', 'es', { required: 1, available: 0 }), /^Necesitas 1 crédito, pero/);
});

test('a negative balance is explained without the word “only”', () => {
  const message = messageFor('ERR_4001', 'en', { required: 4, available: -3 });
  assert.match(message, /balance at -3/);
  assert.doesNotMatch(message, /only/);
});

test('every message in every language is well-formed, and its plain variant needs no values', () => {
  for (const locale of LOCALES) {
    for (const code of CODES) {
      const variants = CATALOGUES[locale]?.[code] ?? {};
      assert.equal(new IntlMessageFormat(variants.plain ?? '{missing}', locale).format(), messageFor(code, locale));
      for (const text of Object.values(variants)) {
        new IntlMessageFormat(text, locale);
        assert.match(text, /[.!?]$/, text);
        assert.doesNotMatch(text, /SQL|null|undefined|ERR_/i);
      }
    }
  }
});

test('each variant uses the same values in all three languages', () => {
  const namesIn = (text: string) => new Set(Array.from(text.matchAll(/\{(\w+)[,}]/g), ([, name]) => name));
  for (const code of CODES) {
    for (const [variant, text] of Object.entries(CATALOGUES.en?.[code] ?? {})) {
      for (const locale of LOCALES) {
        assert.deepEqual(
          namesIn(CATALOGUES[locale]?.[code]?.[variant] ?? ''),
          namesIn(text),
          `${code} ${variant} ${locale}`,
        );
      }
    }
  }
});

test('every message is translated', () => {
  for (const code of CODES) {
    for (const [variant, text] of Object.entries(CATALOGUES.en?.[code] ?? {})) {
      const translations = [text, CATALOGUES.tr?.[code]?.[variant], CATALOGUES.es?.[code]?.[variant]];
      assert.equal(new Set(translations).size, 3, `${code} ${variant}`);
    }
  }
});

const variants: [ErrorCode, Record<string, unknown>, RegExp][] = [
  ['ERR_4003', { field: 'prompt', length: 1, allowed: { minLength: 3, maxLength: 2000 } }, /in 3 to 2,000 characters/],
  ['ERR_4003', { field: 'prompt', allowed: { maxLength: 1000 } }, /at most 1,000 characters/],
  ['ERR_4004', { retry_after: 1 }, /in 1 second\./],
  ['ERR_4004', { retry_after: 60 }, /in 60 seconds\./],
  ['ERR_4004', { retry_after: 3541 }, /in 60 minutes\./],
  ['ERR_4004', { retry_after: 5, reason: 'in_flight' }, /videos in progress/],
  ['ERR_4005', { reason: 'expired' }, /session has expired/],
  ['ERR_4005', { reason: 'link_expired' }, /link has expired/],
  ['ERR_4006', { field: 'model_id' }, /“model_id” is not valid/],
  ['ERR_4006', { field: 'model_id', reason: 'missing' }, /“model_id” is missing/],
  [
    'ERR_4006',
    { field: 'settings.duration', allowed: [4, 6, 8] },
    /“settings.duration” must be one of these: 4, 6, or 8/,
  ],
  ['ERR_4006', { field: 'limit', allowed: { minimum: 1, maximum: 100 } }, /between 1 and 100/],
  ['ERR_4006', { field: 'limit', allowed: { minimum: 1 } }, /at least 1\./],
  ['ERR_4006', { field: 'limit', allowed: { maximum: 100 } }, /at most 100\./],
  ['ERR_4006', { field: 'device_id', allowed: { minLength: 8 } }, /at least 8 characters/],
  ['ERR_4006', { field: 'x', allowed: { multipleOf: 5 } }, /“x” is not valid/],
  ['ERR_4006', { field: 'x', allowed: [] }, /“x” is not valid/],
  ['ERR_4014', { bytes_max: 10 * 1024 * 1024 }, /The limit is 10 MB\./],
  ['ERR_4014', { bytes_max: 64 * 1024 }, /The limit is 64 kB\./],
  ['ERR_4016', { allowed: ['GET', 'HEAD'] }, /use GET or HEAD\./],
  ['ERR_5002', { reason: 'nothing_charged', retry_after: 20 }, /You were not charged\. Please try again/],
  ['ERR_5003', { reason: 'moderated', refunded: 4 }, /content rules/],
  ['ERR_5001', { refunded: 1 }, /not charged: your 1 credit is back/],
  ['ERR_5005', { refunded: 6 }, /not charged: its 6 credits are back/],
];

for (const [code, details, expected] of variants) {
  test(`${code} with ${JSON.stringify(details)} has its own message`, () => {
    assert.match(messageFor(code, 'en', details), expected);
  });
}

test('every error that ends a generation says that its credits are returned', () => {
  const promise = { en: /balance|not charged/, tr: /bakiyenize geri döndü/, es: /en tu saldo/ };
  const details = [{}, { refunded: 2 }, { reason: 'moderated' }];
  for (const code of ['ERR_5001', 'ERR_5002', 'ERR_5003', 'ERR_5004', 'ERR_5005'] as const) {
    for (const locale of LOCALES) {
      for (const detail of details)
        assert.match(messageFor(code, locale, detail), promise[locale], `${code} ${locale}`);
    }
  }
});

test('a detail of the wrong type falls back to a simpler message', () => {
  assert.equal(messageFor('ERR_4001', 'en', { required: '4', available: null }), en.ERR_4001.plain);
  assert.equal(messageFor('ERR_4001', 'en', { required: Number.NaN, available: 2 }), en.ERR_4001.plain);
  assert.equal(messageFor('ERR_4006', 'en', { field: { a: 1 }, reason: 'toString' }), en.ERR_4006.plain);
});

test('the caller’s input is shortened in messages, and never parsed as part of the message format', () => {
  const message = messageFor('ERR_4006', 'en', { field: `{required, plural, <b>${'x'.repeat(10_000)}` });
  assert.ok(message.length < 200);
  assert.ok(message.includes('{required, plural, <b>xxx'));
});

test('any details give a message without unfilled placeholders', () => {
  const names = ['reason', 'field', 'allowed', 'required', 'available', 'retry_after', 'bytes_max', 'refunded'];
  const value = fc.oneof(
    fc.anything({ withNullPrototype: true, withBigInt: true }),
    fc.constantFrom('plain', '__proto__'),
  );
  const details = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value);
  fc.assert(
    fc.property(fc.constantFrom(...CODES), fc.constantFrom(...LOCALES), details, (code, locale, given) => {
      const message = messageFor(code, locale, given);
      assert.ok(message.length > 5);
      assert.doesNotMatch(message, /\{(?:required|available|retry_after|minutes|size)\b/);
    }),
    { numRuns: 1000 },
  );
});

test('the error documentation has every code once, with its status, its three messages and its advice', () => {
  const page = generateErrorDocs();
  for (const code of CODES) {
    const [, section = ''] = page.split(`## ${code}: `);
    assert.equal(page.split(`## ${code}: `).length, 2, code);
    const own = section.split('\n## ')[0] ?? '';
    assert.ok(own.startsWith(GUIDANCE[code].name), code);
    assert.ok(own.includes(GUIDANCE[code].advice), code);
    for (const locale of LOCALES) assert.match(own, new RegExp(`^\\* ${locale}: .+`, 'm'));
    assert.match(own, GUIDANCE[code].jobsOnly ? /none \(jobs only\)/ : new RegExp(`status: ${ERROR_STATUS[code]}`));
  }
});
