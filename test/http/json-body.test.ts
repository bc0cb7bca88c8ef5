import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createAdaptorServer } from '@hono/node-server';
import { createRoute, z } from '@hono/zod-openapi';
import fc from 'fast-check';
import { readBytes } from '../../src/http/body.ts';
import { JSON_BYTES_MAX, jsonBody } from '../../src/http/json-body.ts';
import { parseExactJsonObject, parseJsonObject } from '../../src/http/json-text.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { createApp, errorOf } from './harness.ts';

const LIMIT = 1000;
const JSON_TYPE = { 'Content-Type': 'application/json' };

function createJsonApp() {
  const app = createApp();
  const body = (schema: z.ZodType) => ({ content: { 'application/json': { schema } }, required: true });
  const responses = { 200: { description: 'an echo' } };
  const needsId = z.object({ job_id: z.string(), note: z.string().optional() });
  const optional = z.object({
    language: z.enum(['en', 'tr', 'es']).optional(),
    settings: z.record(z.string(), z.any()).optional(),
  });
  const middleware = jsonBody({ bytesMax: LIMIT });
  app.openapi(
    createRoute({ method: 'post', path: '/needs-id', middleware, request: { body: body(needsId) }, responses }),
    (c) => c.json(c.req.valid('json')),
  );
  app.openapi(
    createRoute({ method: 'post', path: '/optional', middleware, request: { body: body(optional) }, responses }),
    (c) => c.json(c.req.valid('json')),
  );
  app.openapi(
    createRoute({ method: 'delete', path: '/needs-id', middleware, request: { body: body(needsId) }, responses }),
    (c) => c.json(c.req.valid('json')),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/text',
      middleware: jsonBody({ acceptsText: true }),
      request: { body: body(needsId) },
      responses,
    }),
    (c) => c.json(c.req.valid('json')),
  );
  return app;
}

const post = (path: string, body?: BodyInit | null, headers: Record<string, string> = JSON_TYPE) =>
  createJsonApp().request(path, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });

describe('a JSON body', () => {
  const accepted: [name: string, headers: Record<string, string>][] = [
    ['application/json', JSON_TYPE],
    ['with a charset', { 'Content-Type': 'application/json; charset=utf-8' }],
    ['with a charset as the Supabase clients write it', { 'Content-Type': 'application/json;charset=UTF-8' }],
    ['with a quoted charset', { 'Content-Type': 'Application/JSON; charset="utf-8"' }],
    ['of a JSON family type', { 'Content-Type': 'application/vnd.rendio+json' }],
  ];
  for (const [name, headers] of accepted) {
    test(`is accepted: ${name}`, async () => {
      const response = await post('/needs-id', '{"job_id":"a","unknown":1}', headers);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), { job_id: 'a' });
    });
  }

  test('is accepted without any content type', async () => {
    const bytes = new TextEncoder().encode('{"job_id":"a"}');
    const response = await post('/needs-id', bytes, {});
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { job_id: 'a' });
  });

  test('is accepted with a byte order mark, and on DELETE', async () => {
    assert.equal((await post('/needs-id', '\ufeff{"job_id":"a"}')).status, 200);
    const init = { method: 'DELETE', body: '{"job_id":"a"}', headers: JSON_TYPE };
    assert.equal((await createJsonApp().request('/needs-id', init)).status, 200);
  });

  const otherTypes: [name: string, headers: Record<string, string>][] = [
    ['text/plain', { 'Content-Type': 'text/plain;charset=UTF-8' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['multipart', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['a type that only begins like JSON', { 'Content-Type': 'application/jsonp' }],
    ['another charset', { 'Content-Type': 'application/json; charset=utf-16' }],
  ];
  for (const [name, headers] of otherTypes) {
    test(`gets 415 when it is ${name}`, async () => {
      const response = await post('/needs-id', '{"job_id":"a"}', headers);
      assert.equal(response.status, 415);
      const { code, details } = await errorOf(response);
      assert.equal(code, 'ERR_4015');
      assert.deepEqual(details, { field: 'Content-Type', allowed: ['application/json'] });
    });
  }

  test('that is compressed gets 415, which names Content-Encoding and not the type', async () => {
    for (const encoding of ['gzip', 'BR', 'zstd', 'gzip, identity', 'utf-8']) {
      const response = await post('/needs-id', '{"job_id":"a"}', { ...JSON_TYPE, 'Content-Encoding': encoding });
      assert.equal(response.status, 415);
      const { details, message } = await errorOf(response);
      assert.deepEqual(details, { field: 'Content-Encoding', reason: 'compressed', allowed: ['identity'] });
      assert.match(message, /uncompressed/);
    }
    const identity = { ...JSON_TYPE, 'Content-Encoding': ' Identity' };
    assert.equal((await post('/needs-id', '{"job_id":"a"}', identity)).status, 200);
  });

  test('may be sent as text/plain where the route says so, and as no other type', async () => {
    for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'Text/Plain; charset="utf-8"']) {
      const response = await post('/text', '{"job_id":"a"}', { 'Content-Type': type });
      assert.deepEqual(await response.json(), { job_id: 'a' }, type);
    }
    for (const type of [
      'text/html',
      'text/plain; charset=utf-16',
      'text/plainer',
      'application/x-www-form-urlencoded',
    ]) {
      assert.equal((await post('/text', '{"job_id":"a"}', { 'Content-Type': type })).status, 415, type);
    }
    assert.equal((await post('/text', 'a', { 'Content-Type': 'text/plain' })).status, 400);
  });

  for (const body of [undefined, '', '  \n']) {
    test(`that is empty (${JSON.stringify(body)}) is valid where nothing is required, and otherwise lacks its first field`, async () => {
      const valid = await post('/optional', body);
      assert.equal(valid.status, 200);
      assert.deepEqual(await valid.json(), {});
      const rejected = await post('/needs-id', body);
      assert.equal(rejected.status, 400);
      assert.deepEqual((await errorOf(rejected)).details, { field: 'job_id', reason: 'missing' });
    });
  }

  test('that is empty is valid with any content type: curl -d "" sends that of a form', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '0' };
    assert.equal((await post('/optional', '', headers)).status, 200);
  });

  const malformed: [name: string, body: BodyInit, field: string, reason: string][] = [
    ['cut short', '{"job_id":"a"', 'body', 'malformed_json'],
    ['with a trailing comma', '{"job_id":"a",}', 'body', 'malformed_json'],
    ['of JavaScript', '{job_id:1}', 'body', 'malformed_json'],
    ['with a second value', '{} {}', 'body', 'malformed_json'],
    ['with a raw NUL', '{"job_id":"a\u0000"}', 'body', 'malformed_json'],
    ['that is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'body', 'malformed_text'],
    ['with an incomplete character', new Uint8Array([0x7b, 0x22, 0xc3, 0x7d]), 'body', 'malformed_text'],
    ['that is an array', '[]', 'body', 'not_an_object'],
    ['that is a text', '"job"', 'body', 'not_an_object'],
    ['that is null', 'null', 'body', 'not_an_object'],
    ['with an escaped NUL', '{"job_id":"a\\u0000b"}', 'job_id', 'forbidden_characters'],
    ['with a lone high surrogate', '{"job_id":"\\ud800"}', 'job_id', 'forbidden_characters'],
    ['with a lone low surrogate', '{"settings":{"list":["ok","\\udc00"]}}', 'settings.list.1', 'forbidden_characters'],
    ['with NUL in a key', '{"settings":{"a\\u0000":1}}', 'settings', 'forbidden_characters'],
    ['with a number above the largest double', '{"settings":{"duration":1e400}}', 'settings.duration', 'number'],
    ['with a negative one', '{"settings":{"a":[0,{"b":-1E999}]}}', 'settings.a.1.b', 'number'],
    ['with a number that becomes zero', '{"language":"tr","x":1e-400}', 'x', 'number'],
    ['with one of many digits', `{"x":${'9'.repeat(400)}}`, 'x', 'number'],
    ['with a whole number between two doubles', '{"settings":{"seed":9007199254740993}}', 'settings.seed', 'number'],
    [
      'with a negative whole number between two',
      '{"settings":{"list":[1,-9007199254740993]}}',
      'settings.list.1',
      'number',
    ],
    [
      'with a key that stands twice',
      '{"settings":{"duration":8,"fps":24,"duration":4}}',
      'settings.duration',
      'duplicate_key',
    ],
    [
      'with a key that is dropped by a null',
      '{"settings":{"duration":8},"settings":null}',
      'settings',
      'duplicate_key',
    ],
    [
      'with a key that stands twice, once escaped',
      '{"language":"tr","l\\u0061nguage":"es"}',
      'language',
      'duplicate_key',
    ],
    ['nested 33 deep', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'body', 'too_deep'],
    ['nested as deep as it fits', `{"a":${'['.repeat(450)}${']'.repeat(450)}}`, 'body', 'too_deep'],
  ];
  for (const [name, body, field, reason] of malformed) {
    test(`gets 400 with the field and the reason: ${name}`, async () => {
      const response = await post('/optional', body);
      assert.equal(response.status, 400);
      const { code, details } = await errorOf(response);
      assert.equal(code, 'ERR_4006');
      assert.deepEqual(details, { field, reason });
    });
  }

  test('may be nested 32 deep, and may contain any character that can be stored', async () => {
    const deep = `{"settings":${'{"a":'.repeat(31)}1${'}'.repeat(31)}}`;
    assert.equal((await post('/optional', deep)).status, 200);
    const response = await post('/needs-id', '{"job_id":"\\ud83d\\ude00 ğüşıöç \\u0001"}');
    assert.deepEqual(await response.json(), { job_id: '😀 ğüşıöç \u0001' });
  });

  test('keeps every number that a double can hold, and the same key in several objects', async () => {
    const numbers =
      '[0,-0,0e400,-0.0e-999,1e308,5e-324,0.1,9007199254740992,-9007199254740991,1e300,4.50,123456789012345680000]';
    const text = `{"settings":{"numbers":${numbers},"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}],"x":"1e400","\\"x":[]}}`;
    const response = await post('/optional', text);
    assert.equal(response.status, 200, await response.clone().text());
    const body = await response.json();
    assert.equal(JSON.stringify(body), JSON.stringify(JSON.parse(text)));
  });

  test('is kept as JavaScript writes it, whatever it holds', () => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.jsonValue({ maxDepth: 5 }),
    );
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify(value);
        if (!text.isWellFormed() || text.includes('\\u0000') || text.includes('\\ud')) return;
        assert.deepEqual(parseExactJsonObject(new TextEncoder().encode(text)), JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test('cannot change prototypes', async () => {
    const response = await post(
      '/optional',
      '{"__proto__":{"language":"tr"},"constructor":1,"settings":{"__proto__":{"x":1}}}',
    );
    assert.equal(response.status, 200);
    assert.deepEqual(Object.keys((await response.json()) as object), ['settings']);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  test('of exactly the limit is read, one byte more gets 413 with the limit', async () => {
    const filled = (bytes: number) => `{"job_id":"${'x'.repeat(bytes - 13)}"}`;
    assert.equal((await post('/needs-id', filled(LIMIT))).status, 200);
    const response = await post('/needs-id', filled(LIMIT + 1));
    assert.equal(response.status, 413);
    assert.deepEqual((await errorOf(response)).details, { field: 'body', bytes_max: LIMIT });
  });

  test('with a Content-Length above the limit is rejected before a byte of it is read', async () => {
    let pulls = 0;
    const body = new ReadableStream({ pull: () => void pulls++ }, { highWaterMark: 0 });
    const headers = { 'Content-Length': String(LIMIT + 1) };
    const request = new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
    await assert.rejects(readBytes(request, LIMIT), isTooLarge);
    assert.equal(pulls, 0);
  });

  test('of unknown length is counted while it is read, read to its end, and never cancelled', async () => {
    let sent = 0;
    let cancelled = false;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100));
        sent += 100;
        if (sent === 50_000) controller.close();
      },
      cancel() {
        cancelled = true;
      },
    });
    const request = new Request('http://x/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    await assert.rejects(readBytes(request, LIMIT), isTooLarge);
    assert.equal(sent, 50_000);
    assert.equal(cancelled, false);
  });

  test('without an end is read up to a limited number of bytes', async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(65_536));
        sent += 65_536;
      },
    });
    const request = new Request('http://x/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    await assert.rejects(readBytes(request, LIMIT), isTooLarge);
    assert.ok(sent < 10 * 1024 * 1024, String(sent));
  });

  test('that is aborted by its sender gets 400, not 500', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('aborted')) });
    const request = new Request('http://x/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    await assert.rejects(readBytes(request, LIMIT), (error) => error instanceof Problem && error.code === 'ERR_4006');
  });

  test('of any bytes gives an object or a 400', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(`{"a":"${text}"}`)),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        try {
          assert.equal(typeof parseJsonObject(given), 'object');
        } catch (error) {
          assert.ok(error instanceof Problem && error.status === 400, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('of a megabyte of brackets does not overflow the stack', () => {
    const bytes = new TextEncoder().encode(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`);
    assert.throws(() => parseJsonObject(bytes), Problem);
  });
});

function isTooLarge(error: unknown): boolean {
  return error instanceof Problem && error.code === 'ERR_4014' && error.details.bytes_max === LIMIT;
}

describe('a JSON body over a real connection', () => {
  let server: Server;
  let url: string;
  before(async () => {
    server = createAdaptorServer({ fetch: createJsonApp().fetch }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  /** Sends `bytes` in chunks without a Content-Length; returns the answer's status. */
  async function sendChunked(bytes: number): Promise<number | undefined> {
    const request = httpRequest(`${url}/needs-id`, { method: 'POST', headers: JSON_TYPE });
    const answered = once(request, 'response');
    const chunk = Buffer.alloc(65_536, ' ');
    for (let sent = 0; sent < bytes; sent += chunk.length) {
      if (!request.write(chunk)) await once(request, 'drain');
    }
    request.end('{}');
    const [response] = await answered;
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  }

  test('of 4 MB in chunks gets 413, and not a connection reset', async () => {
    assert.equal(await sendChunked(4 * 1024 * 1024), 413);
  });

  test('of 4 MB with a Content-Length gets 413', async () => {
    const response = await fetch(`${url}/needs-id`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: 'x'.repeat(4 * 1024 * 1024),
    });
    assert.equal(response.status, 413);
    assert.equal((await errorOf(response)).code, 'ERR_4014');
  });

  test('in chunks within the limit is read', async () => {
    const request = httpRequest(`${url}/needs-id`, { method: 'POST' });
    request.write('{"job_id"');
    request.end(':"a"}');
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
    await once(response, 'end');
  });

  test('that got 413 leaves the connection usable for the next request', async () => {
    const big = await fetch(`${url}/needs-id`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: 'x'.repeat(JSON_BYTES_MAX),
    });
    assert.equal(big.status, 413);
    await big.text();
    const next = await fetch(`${url}/needs-id`, { method: 'POST', headers: JSON_TYPE, body: '{"job_id":"a"}' });
    assert.deepEqual(await next.json(), { job_id: 'a' });
  });
});
