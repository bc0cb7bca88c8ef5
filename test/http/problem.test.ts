import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { describe, test } from 'node:test';
import { HTTPException } from 'hono/http-exception';
import { failedRequests } from '../../src/http/failed-requests.ts';
import { asProblem } from '../../src/http/problem.ts';
import type { FailedRequest } from '../../src/kernel/error-log.ts';
import { type ErrorCode, Problem } from '../../src/kernel/errors.ts';
import { createApp, errorOf, recordingLog } from './harness.ts';

function appThrowing(error: unknown, log = recordingLog()) {
  const app = createApp(log);
  app.get('/thing/:id', () => {
    throw error;
  });
  return {
    log,
    get: (headers: Record<string, string> = {}) => app.request('/thing/7?token=secret-token', { headers }),
  };
}

describe('an error answer', () => {
  test('has the contract’s body, status and JSON type', async () => {
    const details = { required: 4, available: 2, credits_remaining: 2 };
    const response = await appThrowing(new Problem('ERR_4001', { details })).get();
    assert.equal(response.status, 402);
    assert.match(response.headers.get('Content-Type') ?? '', /^application\/json/);
    assert.deepEqual(await response.json(), {
      error: {
        code: 'ERR_4001',
        message: 'You need 4 credits, but only have 2. Please purchase more credits.',
        details,
      },
    });
  });

  test('always has details, an empty object where there are none', async () => {
    assert.deepEqual((await errorOf(await appThrowing(new Problem('ERR_4013')).get())).details, {});
  });

  test('is in the requested language and names it', async () => {
    const response = await appThrowing(new Problem('ERR_4013')).get({ 'Accept-Language': 'fr, tr-TR;q=0.8' });
    assert.equal(response.headers.get('Content-Language'), 'tr');
    assert.match((await errorOf(response)).message, /askıya alındı/);
  });

  test('is in the account’s language where no supported one was requested', async () => {
    const app = createApp();
    app.get('/', (c) => {
      c.set('language', 'es');
      throw new Problem('ERR_4013');
    });
    assert.match((await errorOf(await app.request('/'))).message, /suspendida/);
    const english = await app.request('/', { headers: { 'Accept-Language': 'en' } });
    assert.match((await errorOf(english)).message, /suspended/);
  });

  test('has the problem’s own headers', async () => {
    const response = await appThrowing(new Problem('ERR_4008', { retryAfterSeconds: 7 })).get();
    assert.equal(response.headers.get('Retry-After'), '7');
  });

  test('has a challenge with 401 and none with 403, whose message says “not allowed” instead of “sign in”', async () => {
    const unknown = await appThrowing(new Problem('ERR_4005')).get();
    assert.equal(unknown.status, 401);
    assert.equal(unknown.headers.get('WWW-Authenticate'), 'Bearer');
    const known = await appThrowing(new Problem('ERR_4005', { status: 403 })).get();
    assert.equal(known.status, 403);
    assert.equal(known.headers.get('WWW-Authenticate'), null);
    const { message, details } = await errorOf(known);
    assert.match(message, /not allowed/);
    assert.deepEqual(details, {});
  });
});

describe('an unexpected error', () => {
  test('gets 500 without any detail, and a log line with all details and the request id', async () => {
    const { get, log } = appThrowing(new TypeError('secret internals'));
    const response = await get({ 'X-Request-Id': 'request-0001' });
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.match(text, /ERR_6003/);
    assert.doesNotMatch(text, /secret|TypeError|at |request-0001/);
    assert.equal(log.lines.length, 1);
    const [line] = log.lines;
    assert.equal(line?.level, 'error');
    assert.equal(line?.fields.request_id, 'request-0001');
    assert.equal(line?.fields.route, '/thing/:id');
    assert.match(JSON.stringify(line?.fields.error), /secret internals/);
    assert.doesNotMatch(JSON.stringify(line), /secret-token/);
  });

  test('that is a rejection is not logged, because the request log has its code', async () => {
    const { get, log } = appThrowing(new Problem('ERR_4006', { details: { field: 'x' }, cause: new Error('why') }));
    assert.equal((await get()).status, 400);
    assert.deepEqual(log.lines, []);
  });

  test('of a vendor is logged with its cause and answered without it', async () => {
    const { get, log } = appThrowing(new Problem('ERR_5002', { cause: new Error('fal said no') }));
    const response = await get();
    assert.equal(response.status, 502);
    assert.doesNotMatch(await response.text(), /fal/);
    assert.equal(log.lines[0]?.level, 'warn');
    assert.match(JSON.stringify(log.lines[0]), /fal said no/);
  });

  test('of PostgreSQL is logged with its code and names, without its messages, which quote values', async () => {
    const error = Object.assign(new Error('duplicate key value (device_id)=(my-device)'), {
      severity: 'ERROR',
      code: '23505',
      constraint: 'users_device_id_key',
      detail: 'Key (device_id)=(my-device) already exists.',
    });
    const { get, log } = appThrowing(new Error('query failed', { cause: error }));
    assert.equal((await get()).status, 500);
    const line = JSON.stringify(log.lines[0]);
    assert.match(line, /23505/);
    assert.match(line, /users_device_id_key/);
    assert.doesNotMatch(line, /my-device/);
  });

  test('of a parser is logged without the text that it could not parse', async () => {
    const error = (() => {
      try {
        return JSON.parse('a private prompt');
      } catch (thrown) {
        return thrown;
      }
    })();
    const { get, log } = appThrowing(error);
    assert.equal((await get()).status, 500);
    assert.doesNotMatch(JSON.stringify(log.lines[0]), /private prompt/);
    assert.match(JSON.stringify(log.lines[0]), /problem\.test\.ts/);
  });
});

describe('an unavailable database', () => {
  const withCode = (code: string, fields: object = {}) => Object.assign(new Error('x'), { code, ...fields });
  const outages: [string, unknown][] = [
    ...['08006', '08P01', '53300', '53400', '57P01', '57P03', '57014', '40001', '40P01', '25006'].map(
      (code): [string, unknown] => [`SQLSTATE ${code}`, withCode(code)],
    ),
    ['a refused connection', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['a missing socket file', withCode('ENOENT', { syscall: 'connect' })],
    ['a name that does not resolve', withCode('ENOTFOUND', { syscall: 'getaddrinfo' })],
    ['a connection reset while reading', withCode('ECONNRESET', { syscall: 'read' })],
    ['both IP addresses refused', new AggregateError([withCode('ECONNREFUSED', { syscall: 'connect' })])],
    ['a full pool', new Error('timeout exceeded when trying to connect')],
    ['a terminated connection', new Error('Connection terminated unexpectedly')],
    ['a slow handshake', new Error('Connection terminated due to connection timeout')],
    ['a client that lost its connection', new Error('Client has encountered a connection error and is not queryable')],
    ['a pool that was closed', new Error('Cannot use a pool after calling end on the pool')],
  ];
  for (const [name, error] of outages) {
    test(`gets a retryable 503: ${name}`, () => assert.equal(asProblem(error).code, 'ERR_6001'));
  }

  test('gets a retryable 503: the real error of a socket to a closed port', async () => {
    const error = await new Promise((resolve) => createConnection(1, '127.0.0.1').once('error', resolve));
    assert.equal(asProblem(error).code, 'ERR_6001');
  });

  const others: [string, unknown][] = [
    ['a broken constraint', withCode('23514')],
    ['a syntax error', withCode('42601')],
    ['a vendor that refuses connections', new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') })],
    ['a missing file', withCode('ENOENT', { syscall: 'open' })],
    ['several errors, not all of them outages', new AggregateError([withCode('08006'), new Error('y')])],
    ['several errors, none of them known', new AggregateError([])],
  ];
  for (const [name, error] of others) {
    test(`is not assumed for ${name}`, () => assert.equal(asProblem(error).code, 'ERR_6003'));
  }
});

test('a disk that is full or cannot be written gets a retryable 503 as the storage’s failure', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']) {
    const error = Object.assign(new Error(`${code}: write`), { code, syscall: 'write', errno: -28 });
    assert.equal(asProblem(error).code, 'ERR_6002', code);
  }
});

const framework: [400 | 401 | 404 | 405 | 413 | 415 | 418 | 500, ErrorCode][] = [
  [400, 'ERR_4006'],
  [401, 'ERR_4005'],
  [404, 'ERR_4007'],
  [405, 'ERR_4016'],
  [413, 'ERR_4014'],
  [415, 'ERR_4015'],
  [418, 'ERR_4006'],
  [500, 'ERR_6003'],
];
for (const [status, code] of framework) {
  test(`the framework’s own ${status} becomes ${code}`, () => {
    assert.equal(asProblem(new HTTPException(status, { message: 'Malformed JSON' })).code, code);
  });
}

function appRecording() {
  const failures: FailedRequest[] = [];
  const app = createApp();
  app.use(failedRequests({ add: (failure) => void failures.push(failure), drain: async () => {} }));
  app.get('/readyz', (c) => c.json({}, 503));
  app.get('/page', (c) => c.text('not built', 503));
  app.get('/things/:id', () => {
    const cause = Object.assign(new Error('Key (email)=(a@b.c)'), {
      severity: 'ERROR',
      code: '23505',
      constraint: 'x_key',
    });
    throw new Problem('ERR_5002', { cause: new TypeError('a value', { cause }) });
  });
  return { app, failures };
}

test('a server that is not ready has not failed', async () => {
  const { app, failures } = appRecording();
  assert.equal((await app.request('/readyz')).status, 503);
  assert.deepEqual(failures, []);
});

test('a failure is recorded by its route, with classes, codes and constraints of its causes and without their messages', async () => {
  const { app, failures } = appRecording();
  await app.request('/things/7?token=secret', { headers: { 'X-Request-Id': 'request-0001' } });
  await app.request('/page', { headers: { 'X-Request-Id': 'request-0002' } });
  const common = { method: 'GET', userId: null };
  assert.deepEqual(failures, [
    {
      ...common,
      code: 'ERR_5002',
      status: 502,
      endpoint: '/things/:id',
      requestId: 'request-0001',
      causes: [{ name: 'TypeError' }, { name: 'Error', code: '23505', constraint: 'x_key' }],
    },
    { ...common, code: 'ERR_6003', status: 503, endpoint: '/page', requestId: 'request-0002', causes: [] },
  ]);
});
