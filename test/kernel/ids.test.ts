import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUuid } from '../../src/kernel/ids.ts';

test('a UUID is accepted in any case and returned in lower case', () => {
  assert.equal(parseUuid('0190F3A2-7B1C-7DEF-8ABC-0123456789AB'), '0190f3a2-7b1c-7def-8abc-0123456789ab');
  assert.equal(parseUuid('00000000-0000-0000-0000-000000000000'), '00000000-0000-0000-0000-000000000000');
});

const others = [
  '',
  '0190f3a27b1c7def8abc0123456789ab',
  '{0190f3a2-7b1c-7def-8abc-0123456789ab}',
  ' 0190f3a2-7b1c-7def-8abc-0123456789ab',
  '0190f3a2-7b1c-7def-8abc-0123456789ab\n',
  '0190f3a2-7b1c-7def-8abc-0123456789ag',
  '0190f3a2-7b1c-7def-8abc-0123456789abc',
  42,
  null,
  undefined,
  {},
  ['0190f3a2-7b1c-7def-8abc-0123456789ab'],
];

for (const other of others) {
  test(`${JSON.stringify(other)} is not a UUID`, () => assert.equal(parseUuid(other), null));
}
