import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRoute, z } from '@hono/zod-openapi';
import fc from 'fast-check';
import { jsonBody } from '../../src/http/json-body.ts';
import { problemOf, rejectInvalid } from '../../src/http/validate.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { createApp, errorOf } from './harness.ts';

const schema = z.object({
  name: z.string().min(3).max(8).optional(),
  theme: z.enum(['light', 'dark', 'system']).optional(),
  duration: z.literal([4, 6, 8]).optional(),
  amount: z.number().int().min(1).max(10).optional(),
  step: z.number().multipleOf(5).optional(),
  id: z.guid().optional(),
  tags: z.array(z.string()).max(2).optional(),
  settings: z.object({ fps: z.literal([24, 30]) }).optional(),
  mode: z.union([z.literal('a'), z.literal(2)]).optional(),
  shape: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('x'), size: z.number() }),
      z.object({ kind: z.literal('y') }),
    ])
    .optional(),
  proof: z
    .union([z.object({ transaction_id: z.string() }), z.object({ signed_transaction: z.string(), hint: z.string() })])
    .optional(),
  strict: z.strictObject({}).optional(),
  custom: z
    .string()
    .refine((text) => text === 'ok', { params: { allowed: ['ok'] } })
    .optional(),
  refined: z
    .string()
    .refine((text) => text === 'ok')
    .optional(),
  extra: z.record(z.string(), z.number()).optional(),
});

function detailsOf(value: unknown) {
  const result = schema.safeParse(value);
  assert.ok(result.error);
  const problem = problemOf(result.error, value);
  assert.equal(problem.code, 'ERR_4006');
  return problem.details;
}

describe('a rejected field', () => {
  const cases: [value: unknown, details: Record<string, unknown>][] = [
    [{ name: 'ab' }, { field: 'name', allowed: { minLength: 3 } }],
    [{ name: 'abcdefghi' }, { field: 'name', allowed: { maxLength: 8 } }],
    [{ name: 7 }, { field: 'name' }],
    [{ theme: 'blue' }, { field: 'theme', allowed: ['light', 'dark', 'system'] }],
    [{ duration: 5 }, { field: 'duration', allowed: [4, 6, 8] }],
    [{ duration: '4' }, { field: 'duration', allowed: [4, 6, 8] }],
    [{ amount: 0 }, { field: 'amount', allowed: { minimum: 1 } }],
    [{ amount: 11 }, { field: 'amount', allowed: { maximum: 10 } }],
    [{ amount: 1.5 }, { field: 'amount' }],
    [{ amount: null }, { field: 'amount' }],
    [{ step: 3 }, { field: 'step', allowed: { multipleOf: 5 } }],
    [{ id: 'x' }, { field: 'id' }],
    [{ tags: ['a', 'b', 'c'] }, { field: 'tags', allowed: { maxItems: 2 } }],
    [{ tags: ['a', 7] }, { field: 'tags.1' }],
    [{ settings: { fps: 25 } }, { field: 'settings.fps', allowed: [24, 30] }],
    [{ settings: [] }, { field: 'settings' }],
    [{ mode: 'b' }, { field: 'mode', allowed: ['a', 2] }],
    [{ shape: { kind: 'z' } }, { field: 'shape.kind', allowed: ['x', 'y'] }],
    [{ shape: { kind: 'x' } }, { field: 'shape.size', reason: 'missing' }],
    [{ proof: {} }, { field: 'proof.transaction_id', reason: 'missing' }],
    [{ proof: { transaction_id: 7 } }, { field: 'proof.transaction_id' }],
    [{ strict: { foo: 1 } }, { field: 'strict.foo' }],
    [{ custom: 'no' }, { field: 'custom', allowed: ['ok'] }],
    [{ refined: 'no' }, { field: 'refined' }],
    [{ extra: { key: 'x' } }, { field: 'extra.key' }],
    ['text', { field: 'body' }],
  ];
  for (const [value, details] of cases) {
    test(`of ${JSON.stringify(value)} is named with the allowed values`, () =>
      assert.deepEqual(detailsOf(value), details));
  }

  test('is the first of several in the schema’s order', () => {
    assert.equal(detailsOf({ duration: 1, theme: 'x', name: '' }).field, 'name');
  });

  test('with a long name is shortened, without an incomplete character at the cut', () => {
    const field = String(detailsOf({ extra: { ['😀'.repeat(500)]: 'x' } }).field);
    assert.equal(field.length, 100);
    assert.ok(field.isWellFormed());
  });

  test('may have its own code', () => {
    const prompt = z.object({ prompt: z.string() });
    const error = prompt.safeParse({}).error;
    assert.ok(error);
    const problem = problemOf(error, {}, { prompt: 'ERR_4003' });
    assert.equal(problem.code, 'ERR_4003');
    assert.deepEqual(problem.details, { field: 'prompt', reason: 'missing' });
  });

  test('is named for any invalid value', () => {
    const value = fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...Object.keys(schema.shape)), fc.anything()));
    fc.assert(
      fc.property(value, (given) => {
        const { error } = schema.safeParse(given);
        if (error === undefined) return;
        const problem = problemOf(error, given);
        assert.ok(problem instanceof Problem);
        assert.equal(typeof problem.details.field, 'string');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a route with a schema', () => {
  function createValidatingApp() {
    const app = createApp();
    const query = z.object({ job_id: z.string(), limit: z.coerce.number().int().min(1).max(100).default(20) });
    const headers = z.object({ 'X-Kind': z.enum(['a', 'b']).optional() });
    const responses = { 200: { description: 'an echo' } };
    app.openapi(createRoute({ method: 'get', path: '/jobs', request: { query, headers }, responses }), (c) =>
      c.json(c.req.valid('query')),
    );
    const params = z.object({ id: z.string() });
    app.openapi(createRoute({ method: 'get', path: '/jobs/{id}', request: { params }, responses }), (c) =>
      c.json(c.req.valid('param')),
    );
    const body = { content: { 'application/json': { schema: z.object({ prompt: z.string() }) } }, required: true };
    app.openapi(
      createRoute({ method: 'post', path: '/jobs', middleware: jsonBody(), request: { body }, responses }),
      (c) => c.json(c.req.valid('json')),
      rejectInvalid({ prompt: 'ERR_4003' }),
    );
    return app;
  }

  const rejected: [path: string, headers: Record<string, string>, details: Record<string, unknown>][] = [
    ['/jobs', {}, { field: 'job_id', reason: 'missing' }],
    ['/jobs?job_id=a&limit=0', {}, { field: 'limit', allowed: { minimum: 1 } }],
    ['/jobs?job_id=a&limit=101', {}, { field: 'limit', allowed: { maximum: 100 } }],
    ['/jobs?job_id=a&limit=abc', {}, { field: 'limit' }],
    ['/jobs?job_id=a&limit=1e999', {}, { field: 'limit' }],
    ['/jobs?job_id=a&limit=1&limit=2', {}, { field: 'limit' }],
    ['/jobs?job_id=a&job_id=b', {}, { field: 'job_id' }],
    ['/jobs?job_id=a%00b', {}, { field: 'job_id', reason: 'forbidden_characters' }],
    ['/jobs/a%00b', {}, { field: 'id', reason: 'forbidden_characters' }],
    ['/jobs?job_id=a', { 'x-kind': 'c' }, { field: 'X-Kind', allowed: ['a', 'b'] }],
  ];
  for (const [path, headers, details] of rejected) {
    test(`answers 400 and names the field: ${path} ${JSON.stringify(headers)}`, async () => {
      const response = await createValidatingApp().request(path, { headers });
      assert.equal(response.status, 400);
      const error = await errorOf(response);
      assert.equal(error.code, 'ERR_4006');
      assert.deepEqual(error.details, details);
    });
  }

  test('uses a field’s own code', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await createValidatingApp().request('/jobs', { method: 'POST', body: '{"prompt":5}', headers });
    assert.equal((await errorOf(response)).code, 'ERR_4003');
  });

  test('accepts valid values', async () => {
    const response = await createValidatingApp().request('/jobs?job_id=%F0%9F%98%80&limit=7&unknown=%00');
    assert.deepEqual(await response.json(), { job_id: '😀', limit: 7 });
  });

  test('never answers 500, whatever the URL is', async () => {
    const app = createValidatingApp();
    const part = fc.oneof(
      fc.constantFrom('job_id=', 'limit=', '&', '%00', '%', '%ff', '%ed%a0%80', '=', '__proto__=1', '[]', '/', '+'),
      fc.webSegment(),
    );
    const urlEnd = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(urlEnd, fc.constantFrom('/jobs?', '/jobs/'), async (text, start) => {
        const response = await app.request(`${start}${text}`);
        assert.ok(response.status < 500, `${start}${text}: ${response.status}`);
      }),
      { numRuns: 500 },
    );
  });
});
