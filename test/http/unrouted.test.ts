import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenAPIHono } from '@hono/zod-openapi';
import { cors } from '../../src/http/cors.ts';
import type { HttpEnv } from '../../src/http/env.ts';
import { createApp, errorOf } from './harness.ts';

const STORED = '/storage/v1/object/sign/videos/a/b.mp4';

function createRoutedApp() {
  const app = createApp();
  app.use(cors('*'));
  app.get('/functions/v1/get-models', (c) => c.json({}));
  app.patch('/functions/v1/update-user-profile', (c) => c.json({}));
  app.post('/functions/v1/update-user-profile', (c) => c.json({}));
  app.get('/storage/v1/object/sign/:bucket/*', (c) => c.json({}));
  app.post('/auth/v1/token', (c) => c.json({}));
  app.get('/missing', (c) => c.notFound());
  const nested = new OpenAPIHono<HttpEnv>();
  nested.delete('/jobs/:id', (c) => c.json({}));
  app.route('/nested', nested);
  return app;
}

describe('a path without a route for the method', () => {
  const notAllowed: [method: string, path: string, allow: string][] = [
    ['POST', '/functions/v1/get-models', 'GET, HEAD'],
    ['DELETE', '/functions/v1/get-models?x=1', 'GET, HEAD'],
    ['GET', '/functions/v1/update-user-profile', 'POST, PATCH'],
    ['HEAD', '/functions/v1/update-user-profile', 'POST, PATCH'],
    ['PUT', '/storage/v1/object/sign/videos/a/b.mp4', 'GET, HEAD'],
    ['POST', '/nested/jobs/7', 'DELETE'],
    ['PROPFIND', '/functions/v1/get-models', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of notAllowed) {
    test(`that has other methods gets 405 with Allow: ${method} ${path}`, async () => {
      const response = await createRoutedApp().request(path, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('Allow'), allow);
      assert.notEqual(response.headers.get('X-Request-Id'), null);
      if (method === 'HEAD') return;
      const { code, details } = await errorOf(response);
      assert.equal(code, 'ERR_4016');
      assert.deepEqual(details, { allowed: allow.split(', ') });
    });
  }

  const unknown = [
    '/',
    '/functions/v1/',
    '/functions/v1/nothing',
    '/functions/v1/get-models/more',
    '/nested',
    '/%E0%A4%A',
  ];
  for (const path of unknown) {
    for (const method of ['GET', 'POST']) {
      test(`that is unknown gets 404: ${method} ${path}`, async () => {
        const response = await createRoutedApp().request(path, { method });
        assert.equal(response.status, 404);
        const { code, details } = await errorOf(response);
        assert.equal(code, 'ERR_4007');
        assert.deepEqual(details, {});
      });
    }
  }

  test('gets 404 also where the route itself answers 404', async () => {
    assert.equal((await createRoutedApp().request('/missing')).status, 404);
    assert.equal((await createRoutedApp().request('/missing', { method: 'POST' })).status, 405);
  });

  test('accepts HEAD where there is GET', async () => {
    assert.equal((await createRoutedApp().request('/functions/v1/get-models', { method: 'HEAD' })).status, 200);
  });

  test('answers a preflight by CORS', async () => {
    const response = await createRoutedApp().request('/functions/v1/get-models', { method: 'OPTIONS' });
    assert.equal(response.status, 204);
  });

  const versioned = { 'X-Supabase-Api-Version': '2024-01-01' };
  const dialects: [path: string, method: string, headers: Record<string, string>, status: number, body: object][] = [
    ['/auth/v1/token', 'GET', versioned, 405, { code: 'method_not_allowed' }],
    ['/auth/v1/token', 'GET', {}, 405, { code: 405, error_code: 'method_not_allowed' }],
    ['/auth/v1/nothing', 'POST', versioned, 404, { code: 'not_found' }],
    ['/auth/v1', 'GET', {}, 404, { code: 404, error_code: 'not_found' }],
    [STORED, 'PUT', { 'X-Client-Info': 'supabase-js/2.0.0' }, 405, { statusCode: '405', error: 'invalid_request' }],
    ['/storage/v1/bucket', 'GET', { 'X-Client-Info': 'storage-js/2' }, 404, { statusCode: '404', error: 'not_found' }],
  ];
  for (const [path, method, headers, status, expected] of dialects) {
    test(`is answered in the format of Supabase's clients: ${method} ${path} ${JSON.stringify(headers)}`, async () => {
      const response = await createRoutedApp().request(path, { method, headers });
      assert.equal(response.status, status);
      assert.equal(response.headers.has('Allow'), status === 405);
      const body: Record<string, unknown> = await response.json();
      assert.deepEqual({ ...body, ...expected }, body);
      const sentence = body.message ?? body.msg;
      assert.ok(typeof sentence === 'string' && sentence !== '');
      const isVersioned = headers === versioned;
      assert.equal(response.headers.get('X-Supabase-Api-Version'), isVersioned ? '2024-01-01' : null);
    });
  }

  test('below /storage/v1 gets the usual format for clients that are not Supabase’s', async () => {
    const response = await createRoutedApp().request(STORED, { method: 'PUT' });
    assert.equal((await errorOf(response)).code, 'ERR_4016');
  });
});
