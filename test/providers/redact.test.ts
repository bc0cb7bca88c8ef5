import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from '../../src/providers/redact.ts';

test('a vendor’s message can be stored in the database: it has no control characters, in particular no NUL', () => {
  assert.equal(redact('bad\u0000 \u001b[31minput\r\n\u0085here', []), 'bad [31minput here');
});
