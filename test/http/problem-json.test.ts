/** Errors in the format of RFC 9457, and who gets them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prefersProblemJson } from '../../src/http/problem-json.ts';
import { type ErrorCode, Problem } from '../../src/kernel/errors.ts';
import { createApp } from './harness.ts';

const PROBLEM = 'application/problem+json';

describe('the format of an error', () => {
  const cases: [accept: string | undefined, isProblem: boolean][] = [
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/*', false],
    ['application/json', false],
    ['application/json, text/plain, */*', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    [PROBLEM, true],
    ['Application/Problem+JSON', true],
    [`${PROBLEM}; charset=utf-8`, true],
    [`${PROBLEM}, application/json`, true],
    [`application/json, ${PROBLEM}`, false],
    [`application/json;q=0.5, ${PROBLEM}`, true],
    [`application/json, ${PROBLEM};q=0.9`, false],
    [`${PROBLEM};q=0.5, application/json;q=0.4`, true],
    [`${PROBLEM};q=0.5, */*`, false],
    [`*/*, ${PROBLEM}`, true],
    [`${PROBLEM};q=0`, false],
    [`${PROBLEM};q=0, */*;q=0`, false],
    [`application/json;q=0, ${PROBLEM};q=0.1`, true],
    [`text/html, ${PROBLEM}`, true],
    ['application/problem+xml', false],
    [', ,;q=1', false],
  ];
  for (const [accept, isProblem] of cases) {
    it(`is ${isProblem ? 'RFC 9457' : 'the usual one'} for Accept: ${accept}`, () =>
      assert.equal(prefersProblemJson(accept), isProblem));
  }
});

function appThrowing(error: unknown) {
  const app = createApp();
  app.use(async (c, next) => {
    c.set('origin', 'https://api.example.com');
    await next();
  });
  for (const path of ['/thing', '/storage/v1/object/thing', '/auth/v1/user']) {
    app.get(path, () => {
      throw error;
    });
  }
  return (headers: Record<string, string> = {}, path = '/thing', method = 'GET') =>
    app.request(path, { method, headers: { Accept: PROBLEM, 'X-Request-Id': 'request-0001', ...headers } });
}

describe('an error in the format of RFC 9457', () => {
  it('has the status, the message in the caller’s language, the code and when to try again', async () => {
    const error = new Problem('ERR_4004', { details: { retry_after: 30 }, retryAfterSeconds: 30 });
    const response = await appThrowing(error)({ 'Accept-Language': 'es' });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('Content-Type'), PROBLEM);
    assert.equal(response.headers.get('Retry-After'), '30');
    assert.match(response.headers.get('Vary') ?? '', /Accept, Accept-Language/);
    assert.deepEqual(await response.json(), {
      type: 'https://api.example.com/docs#ERR_4004',
      title: 'Rate limit exceeded',
      status: 429,
      detail: 'Vas demasiado rápido. Inténtalo de nuevo dentro de 30 segundos.',
      code: 'ERR_4004',
      details: { retry_after: 30 },
      retryable: true,
      retry_after: 30,
      charged: false,
      support_id: 'request-0001',
    });
  });

  const retryable: [error: Problem | Error, code: ErrorCode, isRetryable: boolean][] = [
    [new Problem('ERR_4006'), 'ERR_4006', false],
    [new Problem('ERR_4008'), 'ERR_4008', false],
    [new Problem('ERR_4008', { retryAfterSeconds: 1 }), 'ERR_4008', true],
    [new Problem('ERR_4019', { retryAfterSeconds: 60 }), 'ERR_4019', true],
    [new Problem('ERR_5002'), 'ERR_5002', true],
    [new Problem('ERR_5003'), 'ERR_5003', false],
    [new TypeError('secret internals'), 'ERR_6003', true],
  ];
  for (const [error, code, isRetryable] of retryable) {
    it(`says of ${code}${isRetryable ? '' : ' not'} that a repeat may help: ${error.message}`, async () => {
      const response = await appThrowing(error)();
      const text = await response.text();
      const body = JSON.parse(text);
      assert.deepEqual([body.code, body.retryable, body.status], [code, isRetryable, response.status]);
      assert.doesNotMatch(text, /secret/);
    });
  }

  it('is not for HEAD, nor for the paths of Supabase’s clients', async () => {
    const get = appThrowing(new Problem('ERR_4007'));
    for (const [path, method] of [
      ['/thing', 'HEAD'],
      ['/storage/v1/object/thing', 'GET'],
      ['/auth/v1/user', 'GET'],
    ] as const) {
      assert.match((await get({}, path, method)).headers.get('Content-Type') ?? '', /^application\/json/, path);
    }
  });

  it('is that of a route that does not exist, too', async () => {
    const response = await appThrowing(new Error())({}, '/nothing');
    assert.equal(response.headers.get('Content-Type'), PROBLEM);
    assert.equal((await response.json()).title, 'Not found, or not yours');
  });
});
