import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cors } from '../../src/http/cors.ts';
import { asProblem } from '../../src/http/problem.ts';
import { requestLog } from '../../src/http/request-log.ts';
import { securityHeaders } from '../../src/http/security-headers.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { noMetrics } from '../../src/kernel/metrics.ts';
import { noTracer } from '../../src/kernel/tracer.ts';
import { createApp, recordingLog } from './harness.ts';

describe('X-Request-Id', () => {
  const get = (headers: Record<string, string> = {}) => {
    const app = createApp();
    app.get('/', (c) => c.text(c.get('requestId')));
    app.get('/raw', () => new Response('raw'));
    app.get('/fails', () => {
      throw new Error('x');
    });
    return (path: string) => app.request(path, { headers });
  };

  for (const id of ['12345678', 'A-z.0_9-', 'x'.repeat(128)]) {
    test(`of the caller is kept: ${id.slice(0, 20)}`, async () => {
      const response = await get({ 'X-Request-Id': id })('/');
      assert.equal(response.headers.get('X-Request-Id'), id);
      assert.equal(await response.text(), id);
    });
  }

  for (const id of ['1234567', 'x'.repeat(129), 'has space in it', 'çççççççççç', 'a,b,c,d,e,f', '{"a":"bcdefg"}']) {
    test(`that is malformed is replaced: ${id.slice(0, 20)}`, async () => {
      const header = new TextDecoder('latin1').decode(new TextEncoder().encode(id));
      const response = await get({ 'X-Request-Id': header })('/');
      assert.match(response.headers.get('X-Request-Id') ?? '', /^[0-9a-f-]{36}$/);
    });
  }

  for (const path of ['/', '/raw', '/fails', '/nothing']) {
    test(`is on every answer: ${path}`, async () => {
      assert.match((await get()(path)).headers.get('X-Request-Id') ?? '', /^[0-9a-f-]{36}$/);
    });
  }

  test('is a new one for each request', async () => {
    const request = get();
    const ids = await Promise.all([request('/'), request('/')]);
    assert.equal(new Set(ids.map((response) => response.headers.get('X-Request-Id'))).size, 2);
  });
});

describe('the request log', () => {
  function createLoggedApp() {
    const log = recordingLog();
    let now = 1_000;
    const clock = { now: () => new Date(now) };
    const app = createApp(log);
    app.use(requestLog({ log, clock, metrics: noMetrics, tracer: noTracer, problemOf: asProblem }));
    app.post('/jobs/:id', async (c) => {
      c.set('caller', { userId: 'u-1', sessionId: 's', isAnonymous: true, expiresAt: 0 });
      now += 42;
      return c.json({ text: await c.req.text() }, 201);
    });
    app.get('/rejected', () => {
      throw new Problem('ERR_4013');
    });
    app.get('/broken', () => {
      throw new Error('x');
    });
    return { app, log };
  }

  test('has one line with the route’s pattern, without the path, the headers and the body', async () => {
    const { app, log } = createLoggedApp();
    const headers = { 'X-Request-Id': 'request-0001', Authorization: 'Bearer secret' };
    await app.request('/jobs/private-7?token=secret', { method: 'POST', body: 'a private prompt', headers });
    assert.deepEqual(log.lines, [
      {
        level: 'info',
        message: 'request',
        fields: {
          event: 'request',
          request_id: 'request-0001',
          method: 'POST',
          route: '/jobs/:id',
          status: 201,
          ms: 42,
          user_id: 'u-1',
        },
      },
    ]);
  });

  test('has the code of a rejection, the status of a failure, and not the path of an unknown route', async () => {
    const { app, log } = createLoggedApp();
    for (const path of ['/rejected', '/broken', '/private-path']) await app.request(path);
    const lines = log.lines.filter(({ message }) => message === 'request').map(({ fields }) => fields);
    assert.deepEqual(
      lines.map(({ route, status, code }) => [route, status, code]),
      [
        ['/rejected', 403, 'ERR_4013'],
        ['/broken', 500, 'ERR_6003'],
        ['none', 404, 'ERR_4007'],
      ],
    );
  });
});

describe('CORS', () => {
  const send = (origins: string[] | '*', origin: string, method = 'GET', asked?: string) => {
    const app = createApp();
    app.use(cors(origins));
    app.get('/', (c) => c.json({}));
    const headers: Record<string, string> = { Origin: origin, 'Access-Control-Request-Method': 'POST' };
    if (asked !== undefined) headers['Access-Control-Request-Headers'] = asked;
    return app.request('/', { method, headers });
  };

  test('allows the listed origins by name, and no others', async () => {
    const listed = ['https://app.example.com', 'https://admin.example.com'];
    for (const origin of listed) {
      const response = await send(listed, origin);
      assert.equal(response.headers.get('Access-Control-Allow-Origin'), origin);
      assert.match(response.headers.get('Vary') ?? '', /Origin/);
    }
    for (const origin of ['https://evil.example.com', 'https://app.example.com.evil.com', 'null']) {
      assert.equal((await send(listed, origin)).headers.get('Access-Control-Allow-Origin'), null);
      assert.equal((await send(listed, origin, 'OPTIONS')).headers.get('Access-Control-Allow-Origin'), null);
    }
    assert.equal((await send([], 'https://app.example.com')).headers.get('Access-Control-Allow-Origin'), null);
  });

  test('allows all origins where configured, and never credentials', async () => {
    const response = await send('*', 'https://any.example.com');
    assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*');
    assert.equal(response.headers.get('Access-Control-Allow-Credentials'), null);
  });

  test('allows whatever headers a preflight asks for, to all origins that it allows', async () => {
    const ours = 'authorization,apikey,x-client-info,x-supabase-api-version,idempotency-key,last-event-id,content-type';
    const tracing =
      'sentry-trace,baggage,traceparent,tracestate,x-datadog-trace-id,x-b3-traceid,uber-trace-id,newrelic';
    const others = 'x-requested-with,ngrok-skip-browser-warning,x-csrf-token,x-any-name-at-all';
    for (const asked of [ours, tracing, others, 'Authorization, Sentry-Trace', 'x'.repeat(4000)]) {
      for (const origins of ['*' as const, ['https://app.example.com']]) {
        const { status, headers } = await send(origins, 'https://app.example.com', 'OPTIONS', asked);
        assert.equal(status, 204);
        assert.equal(headers.get('Access-Control-Allow-Headers'), asked.replaceAll(', ', ','));
        assert.match(headers.get('Vary') ?? '', /Access-Control-Request-Headers/);
      }
    }
    const foreign = await send(['https://app.example.com'], 'https://evil.example.com', 'OPTIONS', ours);
    assert.equal(foreign.headers.get('Access-Control-Allow-Origin'), null);
  });

  test('answers a preflight that asks for no headers, and exposes those that our clients read', async () => {
    const preflight = await send('*', 'https://any.example.com', 'OPTIONS');
    assert.equal(preflight.status, 204);
    const exposed = (
      (await send('*', 'https://x.example')).headers.get('Access-Control-Expose-Headers') ?? ''
    ).toLowerCase();
    const read =
      'x-request-id x-idempotent-replay retry-after ratelimit ratelimit-policy etag x-supabase-api-version content-range';
    for (const name of read.split(' ')) assert.ok(exposed.split(',').includes(name), name);
    for (const method of ['POST', 'PATCH', 'DELETE']) {
      assert.ok(preflight.headers.get('Access-Control-Allow-Methods')?.includes(method));
    }
  });

  test('is on error answers too, so that a page can read them', async () => {
    const app = createApp();
    app.use(cors('*'));
    const response = await app.request('/nothing', { headers: { Origin: 'https://any.example.com' } });
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*');
  });
});

describe('security headers', () => {
  const get = (isHttpsOnly: boolean, csp?: string) => {
    const app = createApp();
    app.use(securityHeaders({ isHttpsOnly, ...(csp === undefined ? {} : { csp }) }));
    app.get('/', (c) => c.json({}));
    app.get('/raw', () => new Response('x', { headers: { 'Cache-Control': 'private, max-age=60' } }));
    return (path: string) => app.request(path);
  };

  test('are on every answer', async () => {
    for (const path of ['/', '/raw', '/nothing']) {
      const { headers } = await get(true)(path);
      assert.equal(headers.get('X-Content-Type-Options'), 'nosniff');
      assert.equal(headers.get('Referrer-Policy'), 'no-referrer');
      assert.equal(headers.get('Content-Security-Policy'), "default-src 'none'; frame-ancestors 'none'");
      assert.match(headers.get('Strict-Transport-Security') ?? '', /max-age=31536000/);
    }
  });

  test('do not require https where there is none', async () => {
    assert.equal((await get(false)('/')).headers.get('Strict-Transport-Security'), null);
  });

  test('keep answers out of caches unless the answer sets Cache-Control, and accept a page’s own policy', async () => {
    assert.equal((await get(true)('/')).headers.get('Cache-Control'), 'no-store');
    assert.equal((await get(true)('/raw')).headers.get('Cache-Control'), 'private, max-age=60');
    assert.equal(
      (await get(true, "default-src 'self'")('/')).headers.get('Content-Security-Policy'),
      "default-src 'self'",
    );
  });
});
