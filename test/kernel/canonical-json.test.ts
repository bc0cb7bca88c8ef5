import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/kernel/canonical-json.ts';
import { canonicalHash, sha256Hex } from '../../src/kernel/hash.ts';

test('the example of RFC 8785 gives the RFC’s result', () => {
  const value = {
    numbers: JSON.parse('[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]'),
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
  assert.equal(canonicalJson(value), expected);
});

test('keys are sorted by UTF-16 code units at every depth', () => {
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\ud83d\ude00': 5, '\u0080': 6, ö: { b: 1, a: 2 } };
  assert.equal(canonicalJson(value), '{"\\r":2,"1":4,"\u0080":6,"ö":{"a":2,"b":1},"€":1,"😀":5,"\ufb33":3}');
});

test('undefined members are treated as absent', () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), canonicalJson({ b: 1 }));
});

test('minus zero is zero, and an object without a prototype is an object', () => {
  assert.equal(canonicalJson(-0), '0');
  assert.equal(canonicalJson(Object.assign(Object.create(null), { b: 1, a: 2 })), '{"a":2,"b":1}');
});

for (const value of [undefined, Number.NaN, Infinity, 1n, Symbol('s'), () => 1, new Date(0), [undefined], new Map()]) {
  test(`a value that JSON cannot represent throws: ${Object.prototype.toString.call(value)} ${String(value)}`, () => {
    assert.throws(() => canonicalJson(value), TypeError);
    assert.throws(() => canonicalJson({ nested: [{ value: value ?? Number.NaN }] }), TypeError);
  });
}

test('any JSON value keeps its meaning, and the order of its keys does not matter', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.equal(canonicalJson(reverseKeys(value)), text);
    }),
  );
});

test('a hash is the SHA-256 of the canonical text in lower-case hex', async () => {
  assert.equal(await sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(await sha256Hex(new TextEncoder().encode('abc')), await sha256Hex('abc'));
  assert.equal(await canonicalHash({ b: 1, a: 2 }), await sha256Hex('{"a":2,"b":1}'));
  assert.notEqual(await canonicalHash({ a: 1 }), await canonicalHash({ a: '1' }));
});

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reverseKeys(member)]),
  );
}
