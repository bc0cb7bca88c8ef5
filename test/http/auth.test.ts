import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bearerToken, requireCaller } from '../../src/http/auth.ts';
import type { Caller } from '../../src/http/env.ts';
import { readIdempotencyKey, requireIdempotencyKey } from '../../src/http/idempotency.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { createApp, errorOf } from './harness.ts';

const ANON_KEY = 'anon.anon.anon';
const CALLER: Caller = { userId: 'u-1', sessionId: 's-1', isAnonymous: false, expiresAt: 9 };

async function verify(token: string): Promise<Caller> {
  if (token === 'good.good.good' || token.length > 8192) return CALLER;
  if (token === 'crash') throw new Error('a server error');
  throw new Problem('ERR_4005', { details: { reason: token === 'old.old.old' ? 'expired' : 'invalid' } });
}

function createPrivateApp() {
  const app = createApp();
  app.use('/private', requireCaller({ verify, anonKey: ANON_KEY }));
  app.get('/private', (c) => c.json(c.get('caller')));
  app.get('/public', (c) => c.json({}));
  return app;
}
const get = (path: string, authorization?: string) =>
  createPrivateApp().request(path, { headers: authorization === undefined ? {} : { Authorization: authorization } });

describe('a route that needs a user', () => {
  for (const header of [
    'Bearer good.good.good',
    'bearer good.good.good',
    'BEARER   good.good.good',
    ' Bearer good.good.good ',
  ]) {
    test(`identifies the caller by ${JSON.stringify(header)}`, async () => {
      assert.deepEqual(await (await get('/private', header)).json(), CALLER);
    });
  }

  const missing: [name: string, header: string | undefined][] = [
    ['nothing', undefined],
    ['an empty header', ''],
    ['the anon key', `Bearer ${ANON_KEY}`],
  ];
  for (const [name, header] of missing) {
    test(`answers ${name} with 401 and a plain challenge`, async () => {
      const response = await get('/private', header);
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('WWW-Authenticate'), 'Bearer');
      const { code, details } = await errorOf(response);
      assert.equal(code, 'ERR_4005');
      assert.deepEqual(details, {});
    });
  }

  const rejected: [name: string, header: string, reason: string][] = [
    ['another scheme', 'Basic dXNlcjpwYXNz', 'invalid'],
    ['a scheme without a token', 'Bearer', 'invalid'],
    ['a token without a scheme', 'good.good.good', 'invalid'],
    ['two tokens', 'Bearer good.good.good good.good.good', 'invalid'],
    ['two headers', 'Bearer good.good.good, Bearer good.good.good', 'invalid'],
    ['invalid characters', 'Bearer good.good.<good>', 'invalid'],
    ['a token of 10 kB', `Bearer ${'a'.repeat(10_000)}`, 'invalid'],
    ['a foreign token', 'Bearer bad.bad.bad', 'invalid'],
    ['an expired token', 'Bearer old.old.old', 'expired'],
  ];
  for (const [name, header, reason] of rejected) {
    test(`answers ${name} with 401 and the error in the challenge`, async () => {
      const response = await get('/private', header);
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('WWW-Authenticate'), 'Bearer error="invalid_token"');
      assert.deepEqual((await errorOf(response)).details, { reason });
    });
  }

  test('answers 500 to an error of the server, not 401', async () => {
    assert.equal((await get('/private', 'Bearer crash')).status, 500);
  });
});

test('a public route ignores the header', async () => {
  assert.equal((await get('/public', 'Bearer bad.bad.bad')).status, 200);
});

test('without a configured anon key every token is verified', () => {
  assert.equal(bearerToken(`Bearer ${ANON_KEY}`), ANON_KEY);
});

test('any header is read or rejected with a 401', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `Bearer ${text}`),
      ),
      (header) => {
        try {
          bearerToken(header, ANON_KEY);
        } catch (error) {
          assert.ok(error instanceof Problem && error.status === 401);
        }
      },
    ),
  );
});

describe('Idempotency-Key', () => {
  const send = (key: string | undefined, path = '/required') => {
    const app = createApp();
    app.post('/required', (c) => c.json(requireIdempotencyKey(c)));
    app.post('/optional', (c) => c.json(readIdempotencyKey(c)));
    return app.request(path, { method: 'POST', headers: key === undefined ? {} : { 'Idempotency-Key': key } });
  };

  test('is normalized to lower case', async () => {
    const response = await send('0190F3A2-7B1C-7DEF-8ABC-0123456789AB');
    assert.equal(await response.json(), '0190f3a2-7b1c-7def-8abc-0123456789ab');
  });

  for (const key of [undefined, '', '  ']) {
    test(`is named in the error when it is required and missing: ${JSON.stringify(key)}`, async () => {
      const response = await send(key);
      assert.equal(response.status, 400);
      const { code, details } = await errorOf(response);
      assert.equal(code, 'ERR_4006');
      assert.deepEqual(details, { field: 'Idempotency-Key', reason: 'missing' });
    });
  }

  test('may be absent where it is optional', async () => {
    assert.equal(await (await send(undefined, '/optional')).json(), null);
  });

  const twice = '0190f3a2-7b1c-7def-8abc-0123456789ab, 0190f3a2-7b1c-7def-8abc-0123456789ab';
  for (const key of ['abc', '123', twice, '0190f3a2-7b1c-7def-8abc-0123456789ag', 'x'.repeat(5000)]) {
    for (const path of ['/required', '/optional']) {
      test(`is rejected when it is not a UUID: ${key.slice(0, 40)} at ${path}`, async () => {
        const response = await send(key, path);
        assert.equal(response.status, 400);
        assert.deepEqual((await errorOf(response)).details, { field: 'Idempotency-Key' });
      });
    }
  }
});
