import assert from 'node:assert/strict';
import { type Failure, failureShape } from './answers.ts';
import { expectStatus, type Reply } from './api.ts';
import { assertShape } from './shape.ts';

/** Traces of the implementation. None of them may reach a caller. */
const INTERNALS =
  /\bat (?:async )?\S+ \(|node_modules|node:internal|\.ts:\d|select .* from|insert into|duplicate key|ECONNREFUSED|SQLSTATE|pg_|violates/i;

/** Asserts an error reply in the contract's shape, and returns its details. */
export function assertRefused(
  reply: Reply<unknown>,
  status: number,
  code: string,
  details: Record<string, unknown> = {},
): Record<string, unknown> {
  expectStatus(reply, status);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json\b/);
  const error = errorOf(reply);
  assert.equal(error.code, code, reply.text);
  for (const [name, value] of Object.entries(details)) {
    assert.deepEqual(error.details[name], value, `details.${name} in ${reply.text}`);
  }
  assert.doesNotMatch(reply.text, INTERNALS);
  assert.doesNotMatch(error.message, /[{}]|undefined|\bnull\b|NaN/, 'a complete sentence');
  return error.details;
}

/** The message of an error reply. */
export function messageOf(reply: Reply<unknown>): string {
  return errorOf(reply).message;
}

/** The cast is safe: the shape is asserted just before. */
function errorOf(reply: Reply<unknown>): Failure['error'] {
  assertShape(reply.body, failureShape);
  return (reply.body as Failure).error;
}
