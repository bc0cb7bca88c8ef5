import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from '../../src/providers/redact.ts';

test('a vendor’s message can be stored in the database: it has no control characters, in particular no NUL', () => {
  assert.equal(redact('bad\u0000 \u001b[31minput\r\n\u0085here', []), 'bad [31minput here');
});

test('a quote of a prompt is removed, wherever in it the vendor begins and ends', () => {
  const prompt = 'a red fox of the private-marker-1234 family, "running" in snow';
  const cases: [words: string, kept: string][] = [
    [`Prompt "${prompt}" was rejected`, 'Prompt "…" was rejected'],
    ['near "private-marker-1234 family" (policy 7)', 'near "…" (policy 7)'],
    [JSON.stringify({ prompt, code: 7 }), '{"prompt":"…","code":7}'],
    ['a red fox of the private-mar', '…'],
    ['the family rules', 'the family rules'],
  ];
  for (const [words, kept] of cases) assert.equal(redact(words, [prompt]), kept);
  assert.equal(redact('the word cat is not allowed', ['cat']), 'the word … is not allowed');
});
