import assert from 'node:assert/strict';
import { type Failure, failureShape } from './answers.ts';
import { expectStatus, type Reply } from './api.ts';
import { assertShape } from './shape.ts';

/** Words that only somebody who sees inside could know; none of them may reach a caller. */
const INSIDE =
  /\bat (?:async )?\S+ \(|node_modules|node:internal|\.ts:\d|select .* from|insert into|duplicate key|ECONNREFUSED|SQLSTATE|pg_|violates/i;

/** Asserts a refusal in the contract's one shape, and hands out its details. */
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
  assert.doesNotMatch(reply.text, INSIDE);
  assert.doesNotMatch(error.message, /[{}]|undefined|\bnull\b|NaN/, 'a sentence for people');
  return error.details;
}

/** The sentence for people in a refusal. */
export function messageOf(reply: Reply<unknown>): string {
  return errorOf(reply).message;
}

/** The shape was asserted just before: nothing else is taken on trust. */
function errorOf(reply: Reply<unknown>): Failure['error'] {
  assertShape(reply.body, failureShape);
  return (reply.body as Failure).error;
}
