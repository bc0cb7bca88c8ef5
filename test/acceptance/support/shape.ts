/** Exact shapes: every promised key, no other key, and the right type for each. */
import assert from 'node:assert/strict';

export type Check = (value: unknown, at: string) => void;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const isA =
  (kind: string, holds: (value: unknown) => boolean): Check =>
  (value, at) =>
    assert.ok(holds(value), `${at} should be ${kind}, is ${JSON.stringify(value)?.slice(0, 200)}`);

export const text = isA('a string', (value) => typeof value === 'string');
export const someText = isA('a string that is not empty', (value) => typeof value === 'string' && value !== '');
export const integer = isA('an integer', Number.isSafeInteger);
export const flag = isA('a boolean', (value) => typeof value === 'boolean');
export const nothing = isA('null', (value) => value === null);
export const uuid = isA('a lower-case UUID', (value) => typeof value === 'string' && UUID.test(value));
export const time = isA('a time with milliseconds and Z', (value) => typeof value === 'string' && TIME.test(value));
export const httpUrl = isA('an absolute URL', (value) => typeof value === 'string' && /^https?:\/\/[^/]/.test(value));
export const anyObject = isA('an object', (value) => isObject(value));

export const oneOf = (...values: unknown[]): Check =>
  isA(`one of ${JSON.stringify(values)}`, (value) => values.includes(value));

export const nullable =
  (check: Check): Check =>
  (value, at) => {
    if (value !== null) check(value, at);
  };

export const listOf =
  (check: Check): Check =>
  (value, at) => {
    assert.ok(Array.isArray(value), `${at} should be a list`);
    value.forEach((item, index) => {
      check(item, `${at}[${index}]`);
    });
  };

export const shape =
  (checks: Record<string, Check>): Check =>
  (value, at) => {
    assert.ok(isObject(value), `${at} should be an object, is ${JSON.stringify(value)?.slice(0, 200)}`);
    assert.deepEqual(Object.keys(value).sort(), Object.keys(checks).sort(), `the keys of ${at}`);
    for (const [name, check] of Object.entries(checks)) check(value[name], `${at}.${name}`);
  };

/** Asserts that a body has exactly this shape. */
export function assertShape(value: unknown, check: Check): void {
  check(value, 'body');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
