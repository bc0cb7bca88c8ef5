import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from '../../src/providers/redact.ts';

test('what a vendor says can be kept by the database: no control character is left, a NUL least of all', () => {
  assert.equal(redact('bad\u0000 \u001b[31minput\r\n\u0085here', []), 'bad [31minput here');
});
