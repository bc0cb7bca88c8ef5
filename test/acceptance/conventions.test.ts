/** Rules for every answer: the shape and the language of errors, methods, sizes, types, request ids, origins. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { call, expectStatus, urlOf } from './support/api.ts';
import { newGuest } from './support/guest.ts';
import { oneConnection, rawCall } from './support/raw.ts';
import { assertRefused, messageOf } from './support/refusal.ts';
import { BODY_ROUTES, labelOf, methodsByName, ROUTES } from './support/routes.ts';
import { OWN_SERVER, useServer, useTarget } from './support/target.ts';

const target = useTarget();

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const KEYED = () => ({ 'Idempotency-Key': randomUUID() });

describe('methods and paths', () => {
  test('an unknown path is 404 with every method, with and without a token', async () => {
    const { token } = await newGuest(target.url);
    for (const path of ['/functions/v1/get-everything', '/functions/v1/', '/functions/v2/get-models', '/nowhere']) {
      for (const method of METHODS) {
        assertRefused(await call(target.url, method, path), 404, 'ERR_4007');
        assertRefused(await call(target.url, method, path, { token }), 404, 'ERR_4007');
      }
    }
  });

  for (const [name, allowed] of methodsByName()) {
    test(`${name} answers a wrong method with 405 and the allowed ones in Allow`, async () => {
      for (const method of METHODS.filter((other) => !allowed.includes(other))) {
        const reply = await call(target.url, method, name);
        assertRefused(reply, 405, 'ERR_4016');
        const listed = (reply.headers.get('allow') ?? '').split(',').map((word) => word.trim());
        const others = listed.filter((word) => !['HEAD', 'OPTIONS'].includes(word));
        assert.deepEqual(others.sort(), [...allowed].sort(), `Allow: ${listed}`);
      }
      if (!allowed.includes('GET')) {
        const head = await call(target.url, 'HEAD', name);
        assert.equal(head.status, 405);
        assert.ok(head.headers.get('allow'));
      }
    });
  }

  test('the other endpoints answer a wrong method with 405 and Allow', async () => {
    for (const [path, allowed] of [
      ['/auth/v1/token', 'POST'],
      ['/auth/v1/.well-known/jwks.json', 'GET'],
      ['/healthz', 'GET'],
      ['/readyz', 'GET'],
      ['/metrics', 'GET'],
      ['/openapi.json', 'GET'],
    ] as const) {
      const reply = await call(target.url, 'PUT', path);
      assert.equal(reply.status, 405, path);
      assert.match(reply.headers.get('allow') ?? '', new RegExp(`\\b${allowed}\\b`), path);
    }
  });
});

describe('bodies', () => {
  for (const route of BODY_ROUTES) {
    test(`${labelOf(route)} refuses a body that is no JSON object with 400, and another content type with 415`, async () => {
      const token = route.isPublic ? undefined : (await newGuest(target.url)).token;
      const send = (body: string | Uint8Array, type = 'application/json') =>
        call(target.url, route.method, route.name, { token, body, headers: { 'Content-Type': type, ...KEYED() } });

      for (const body of ['{', '{"a":}', '[]', '[{}]', 'null', '1', '"text"', '{"a":1}}', "{'a':1}", 'NaN']) {
        assertRefused(await send(body), 400, 'ERR_4006');
      }
      assertRefused(await send(new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), 400, 'ERR_4006');
      const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
      assertRefused(await send(deep), 400, 'ERR_4006');

      const valid = JSON.stringify(route.body);
      const field = 'Content-Type';
      // A page of another origin can send this type without asking, but not with a token.
      const text = ['text/plain', 'text/plain;charset=UTF-8'];
      const forms = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
      for (const type of [...forms, ...(route.isPublic ? text : [])]) {
        assertRefused(await send(valid, type), 415, 'ERR_4015', { field });
      }
      assertRefused(await send(valid, 'application/json; charset=iso-8859-9'), 415, 'ERR_4015', { field });
      for (const type of ['application/json; charset=UTF-8', 'APPLICATION/JSON', ...(route.isPublic ? [] : text)]) {
        assert.ok(![415, 500].includes((await send(valid, type)).status), type);
      }
    });

    test(`${labelOf(route)} refuses a number that no double holds, wherever it stands, and a key that stands twice`, async () => {
      const token = route.isPublic ? undefined : (await newGuest(target.url)).token;
      const send = (body: string) => call(target.url, route.method, route.name, { token, body, headers: KEYED() });
      for (const number of ['1e400', '1e-400', '9007199254740993']) {
        for (const field of [...Object.keys(route.body ?? {}), 'user_id', 'device_token', 'settings', 'not_known']) {
          const rest = Object.entries(route.body ?? {}).filter(([name]) => name !== field);
          const members = rest.map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join('');
          assertRefused(await send(`{"${field}":${number}${members}}`), 400, 'ERR_4006', { field });
        }
        const details = assertRefused(await send(`{"settings":{"duration":[${number}]}}`), 400, 'ERR_4006');
        assert.equal(details.field, 'settings.duration.0');
      }
      assertRefused(await send('{"settings":{"duration":10},"settings":null}'), 400, 'ERR_4006', { field: 'settings' });
    });

    test(`${labelOf(route)} refuses a body of a megabyte with 413, with and without Content-Length`, async () => {
      const token = route.isPublic ? undefined : (await newGuest(target.url)).token;
      const body = JSON.stringify({ ...route.body, padding: 'x'.repeat(1024 * 1024) });
      assertRefused(
        await call(target.url, route.method, route.name, { token, body, headers: KEYED() }),
        413,
        'ERR_4014',
      );

      const headers = {
        'Content-Type': 'application/json',
        'Transfer-Encoding': 'chunked',
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...KEYED(),
      };
      const chunks = body.match(/[\s\S]{1,65536}/g) ?? [];
      const chunked = await rawCall(urlOf(target.url, route.name), route.method, { headers, chunks });
      assert.equal(chunked.status, 413);
      assert.equal(JSON.parse(chunked.text).error.code, 'ERR_4014');
    });
  }

  test('a connection can be used again after a body that was refused unread', async () => {
    const agent = oneConnection();
    try {
      const url = urlOf(target.url, 'device-check');
      for (const type of ['application/json', 'text/plain']) {
        const large = JSON.stringify({ padding: 'x'.repeat(1024 * 1024) });
        const headers = { 'Content-Type': type, 'Content-Length': large.length };
        const refused = await rawCall(url, 'POST', { agent, headers, chunks: [large] });
        assert.ok([413, 415].includes(refused.status), refused.text);
        const small = { 'Content-Type': 'application/json', 'Content-Length': 2 };
        assert.equal((await rawCall(url, 'POST', { agent, headers: small, chunks: ['{}'] })).status, 400);
      }
    } finally {
      agent.destroy();
    }
  });

  test('an empty body names the first field that is missing', async () => {
    const reply = await call(target.url, 'POST', 'device-check', { headers: { 'Content-Type': 'application/json' } });
    assertRefused(reply, 400, 'ERR_4006', { field: 'device_id' });
  });

  test('unknown keys are ignored, whatever their names', async () => {
    const guest = await newGuest(target.url);
    const body =
      '{"theme_preference":"dark","id":"x","credits_remaining":99999,"is_admin":true,"__proto__":{"a":1},"constructor":1}';
    const reply = expectStatus(await guest.post('update-user-profile', body), 200);
    assert.equal(reply.body.theme_preference, 'dark');
    assert.equal(reply.body.credits_remaining, 10);
    assert.equal('is_admin' in reply.body, false);
    assert.equal(await guest.balance(), 10);
  });

  test('characters that the database cannot store are 400 in every field, never 500', async () => {
    const guest = await newGuest(target.url);
    for (const bad of ['\\u0000', '\\ud800', '\\udc00 x']) {
      const text = `abcdefgh${bad}`;
      for (const [name, body] of [
        ['device-check', `{"device_id":"${text}"}`],
        ['device-check', `{"device_id":"good-device-id","device_token":"${text}"}`],
        ['update-user-profile', `{"language":"${text}"}`],
        ['generate-video', `{"model_id":"${text}","prompt":"a cat"}`],
        ['generate-video', `{"model_id":"${randomUUID()}","prompt":"a cat","settings":{"${text}":1}}`],
        ['cancel-video-job', `{"job_id":"${text}"}`],
        ['delete-video-job', `{"job_id":"${text}"}`],
        ['cancel-video-job', `{"job_id":"${randomUUID()}","user_id":"${text}"}`],
      ] as const) {
        const reply = await guest.post(name, body, { headers: KEYED() });
        assert.equal(reply.status, 400, `${name} ${body}: ${reply.text}`);
      }
    }
    for (const query of ['get-video-status?job_id=%00', 'get-video-jobs?cursor=%00', 'get-video-jobs?status=%ff%fe']) {
      assertRefused(await guest.get(query), 400, 'ERR_4006');
    }
    const odd = ['get-video-status?job_id=%E0%A4%A', 'get-credit-history?cursor=%', 'get-models?x=%00'];
    for (const query of odd) assert.ok((await guest.get(query)).status < 500, query);
  });
});

describe('what is not given', () => {
  test('in every optional field of a body null means the same as nothing', async () => {
    const guest = await newGuest(target.url);
    for (const { label, body, properties, required } of await bodiesOf(target.url)) {
      for (const name of Object.keys(properties).filter((name) => !required.includes(name))) {
        const [path = '', method = ''] = label.split(' ').toReversed();
        const url = path.replace('{bucket}', 'user_uploads').replace('{path}', `${guest.userId}/none.png`);
        const outcomeOf = async (given: object) => {
          const { token } = path.endsWith('/delete-account') ? await newGuest(target.url) : guest;
          const options = { token, body: given, headers: KEYED() };
          const { status, text } = await call(target.url, method, url, options);
          return [status, /"ERR_\d+"/.exec(text)?.[0]];
        };
        const { [name]: _, ...without } = body;
        assert.deepEqual(await outcomeOf({ ...body, [name]: null }), await outcomeOf(without), `${name} of ${label}`);
      }
    }
  });

  test('in every optional field of a query an empty value means the same as nothing', async () => {
    const guest = await newGuest(target.url);
    const { paths } = await documentOf(target.url);
    let count = 0;
    for (const [path, methods] of Object.entries(paths)) {
      if (!path.startsWith('/functions/v1/') || path.endsWith('/job-events')) continue;
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        const inQuery = parameters.filter((parameter) => parameter.in === 'query');
        const needed = inQuery.filter(({ required }) => required).map(({ name }) => `${name}=${randomUUID()}`);
        for (const { name } of inQuery.filter(({ required }) => !required)) {
          const ask = (more: string[]) =>
            call(target.url, method.toUpperCase(), `${path}?${[...needed, ...more].join('&')}`, { token: guest.token });
          assert.equal((await ask([`${name}=`])).status, (await ask([])).status, `${name} of ${method} ${path}`);
          count += 1;
        }
      }
    }
    assert.ok(count >= 10, `${count} parameters`);
  });

  test('two values for one field of a query are refused: neither of them is dropped', async () => {
    const guest = await newGuest(target.url);
    const own = `user_id=${guest.userId}`;
    for (const query of ['limit=1&limit=2', 'status=failed&status=completed']) {
      assertRefused(await guest.get(`get-video-jobs?${query}`), 400, 'ERR_4006', { field: query.split('=')[0] });
    }
    assertRefused(await guest.get(`get-user-credits?${own}&user_id=${randomUUID()}`), 403, 'ERR_4005');
    assert.equal((await guest.get(`get-user-credits?${own}&user_id=`)).status, 200);
  });
});

type Parameter = { name: string; in: string; required?: boolean };
type Schema = { $ref?: string; required?: string[]; properties?: Record<string, object> };
type Operation = {
  parameters?: Parameter[];
  security: object[];
  requestBody?: {
    content: Record<string, { schema: Schema; examples: Record<string, { value: Record<string, unknown> }> }>;
  };
};
type OpenApi = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };

async function documentOf(base: string): Promise<OpenApi> {
  return expectStatus(await call<OpenApi>(base, 'GET', '/openapi.json'), 200).body;
}

/** Of every operation for users with a JSON body: an example of it, and its fields. */
async function bodiesOf(base: string) {
  const { paths, components } = await documentOf(base);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody, security }]) => {
      const json = requestBody?.content['application/json'];
      if (!json || security.length === 0) return [];
      const { $ref = '' } = json.schema;
      const { properties = {}, required = [] } = components.schemas[$ref.split('/').at(-1) ?? ''] ?? json.schema;
      const [example] = Object.values(json.examples);
      return [{ label: `${method.toUpperCase()} ${path}`, body: example?.value ?? {}, properties, required }];
    }),
  );
}

describe('languages', () => {
  const ask = async (language: string | undefined, token?: string) => {
    const headers: Record<string, string> = language === undefined ? {} : { 'Accept-Language': language };
    if (token) headers.Authorization = `Bearer ${token}`;
    const reply = await rawCall(urlOf(target.url, token ? 'get-video-status' : 'get-user-credits'), 'GET', { headers });
    const message: string = JSON.parse(reply.text).error.message;
    return message;
  };

  test('errors are in English, Turkish or Spanish, by the weights of Accept-Language', async () => {
    const [en, tr, es] = [await ask('en'), await ask('tr'), await ask('es')];
    assert.equal(new Set([en, tr, es]).size, 3);
    assert.match(tr, /[ğşıçöüİ]/i);
    for (const [header, message] of [
      [undefined, en],
      ['', en],
      ['de', en],
      ['*', en],
      ['tr-TR', tr],
      ['TR', tr],
      ['es-419,es;q=0.9', es],
      ['en;q=0.5, tr;q=0.9', tr],
      ['en;q=0.1,tr;q=0.2,es;q=0.3', es],
      ['de, es;q=0.1', es],
      ['fr-CH, fr;q=0.9, tr;q=0.8, en;q=0.7, *;q=0.5', tr],
      ['tr;q=0, es', es],
      ['tr;q=0', en],
      ['tr;q=banana, es;q=0.2', es],
      [';;;,,,q=1', en],
      ['x'.repeat(5000), en],
    ] as const) {
      assert.equal(await ask(header), message, `Accept-Language: ${header?.slice(0, 60)}`);
    }
  });

  test("if the header names no supported language, the account's language is used", async () => {
    const guest = await newGuest(target.url);
    const es = await ask('es', guest.token);
    expectStatus(await guest.post('update-user-profile', { language: 'es' }), 200);
    assert.equal(await ask(undefined, guest.token), es);
    assert.equal(await ask('de, fr;q=0.5', guest.token), es);
    assert.notEqual(await ask('en', guest.token), es);
    assert.notEqual(await ask('de, tr;q=0.1', guest.token), es);
  });

  test('every error has a different message in each of the three languages', async () => {
    const guest = await newGuest(target.url);
    const refusals = {
      ERR_4002: () => guest.generate({ model_id: randomUUID() }),
      ERR_4003: () => guest.generate({ prompt: 'a' }),
      ERR_4005: () => guest.get('get-user-credits', { headers: { Authorization: 'Bearer x' } }),
      ERR_4006: () => guest.post('cancel-video-job', {}),
      ERR_4007: () => guest.post('cancel-video-job', { job_id: randomUUID() }),
      ERR_4014: () => guest.post('cancel-video-job', { x: 'x'.repeat(1e6) }),
      ERR_4015: () => guest.post('cancel-video-job', 'x', { headers: { 'Content-Type': 'text/html' } }),
      ERR_4016: () => guest.get('cancel-video-job'),
    };
    const seen = new Map<string, Set<string>>();
    for (const name of ['en', 'tr', 'es']) {
      expectStatus(await guest.post('update-user-profile', { language: name }), 200);
      for (const [code, refuse] of Object.entries(refusals)) {
        const reply = await refuse();
        assert.match(reply.text, new RegExp(`"code":"${code}"`));
        // These two do not know the account: only the header sets their language.
        if (code !== 'ERR_4005' && code !== 'ERR_4016')
          seen.set(code, (seen.get(code) ?? new Set()).add(messageOf(reply)));
      }
    }
    for (const [code, messages] of seen) assert.equal(messages.size, 3, `${code}: ${[...messages].join(' | ')}`);
  });
});

describe('request ids', () => {
  test('every answer has its own X-Request-Id', async () => {
    const { token } = await newGuest(target.url);
    const seen = new Set<string>();
    let answers = 0;
    const record = (headers: Headers, what: string) => {
      const id = headers.get('x-request-id') ?? '';
      assert.match(id, /^[A-Za-z0-9._-]{8,128}$/, what);
      seen.add(id);
      answers += 1;
    };
    for (const { method, name, query = '' } of ROUTES.filter(({ name }) => name !== 'job-events')) {
      record((await call(target.url, method, name + query, { token })).headers, name);
      record((await call(target.url, method, name + query)).headers, name);
    }
    for (const path of ['/', '/healthz', '/readyz', '/openapi.json', '/nowhere', '/auth/v1/.well-known/jwks.json']) {
      record((await call(target.url, 'GET', path)).headers, path);
    }
    record((await call(target.url, 'PUT', 'get-models')).headers, '405');
    record((await call(target.url, 'POST', '/auth/v1/token?grant_type=refresh_token', { body: {} })).headers, 'token');
    record((await call(target.url, 'OPTIONS', 'generate-video', { headers: PREFLIGHT })).headers, 'preflight');
    const models = await call(target.url, 'GET', 'get-models');
    const headers = { 'If-None-Match': models.headers.get('etag') ?? '' };
    record((await call(target.url, 'GET', 'get-models', { headers })).headers, '304');
    assert.equal(seen.size, answers);
  });

  test("the caller's id is kept if it is well-formed, and is never shown in a body", async () => {
    const ask = async (id: string) => {
      const reply = await call(target.url, 'GET', 'get-user-credits', { headers: { 'X-Request-Id': id } });
      assert.equal(reply.text.includes(id), false);
      return reply.headers.get('x-request-id');
    };
    for (const id of ['abcdefgh', 'A.b_c-9.', 'x'.repeat(128), randomUUID()]) assert.equal(await ask(id), id);
    for (const id of ['abcdefg', 'x'.repeat(129), 'abc defgh', 'abcdefgh;', 'abcdefgh"', 'a/b/c/d/e', 'äbcdefgh']) {
      const given = await ask(id);
      assert.notEqual(given, id);
      assert.match(given ?? '', /^[A-Za-z0-9._-]{8,128}$/);
    }
  });
});

const PREFLIGHT = {
  Origin: 'https://app.example.com',
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'authorization,baggage,idempotency-key,sentry-trace,x-requested-with',
};

/** The values of a header that holds a list, in lower case. */
const wordsOf = (headers: Headers, name: string): string[] =>
  (headers.get(name) ?? '').split(',').map((word) => word.trim().toLowerCase());

describe('requests from other origins', () => {
  test('development allows every origin, on answers and errors', async () => {
    const headers = { Origin: 'https://app.example.com' };
    for (const [method, path] of [
      ['GET', 'get-models'],
      ['GET', 'get-user-credits'],
      ['PUT', 'get-models'],
      ['GET', '/nowhere'],
      ['POST', '/auth/v1/token?grant_type=refresh_token'],
    ] as const) {
      const reply = await call(target.url, method, path, { headers });
      assert.match(reply.headers.get('access-control-allow-origin') ?? '', /^(\*|https:\/\/app\.example\.com)$/, path);
      const exposed = wordsOf(reply.headers, 'access-control-expose-headers');
      for (const name of [
        'x-request-id',
        'x-idempotent-replay',
        'retry-after',
        'ratelimit',
        'ratelimit-policy',
        'etag',
      ]) {
        assert.ok(exposed.includes(name), `${name} on ${path}`);
      }
    }
  });

  test('a preflight allows what it asks for, on every route', async () => {
    for (const [name, methods] of methodsByName()) {
      for (const method of methods) {
        const headers = { ...PREFLIGHT, 'Access-Control-Request-Method': method };
        const reply = await call(target.url, 'OPTIONS', name, { headers });
        assert.ok([200, 204].includes(reply.status), name);
        assert.ok(wordsOf(reply.headers, 'access-control-allow-methods').includes(method.toLowerCase()), name);
        const allowed = wordsOf(reply.headers, 'access-control-allow-headers');
        assert.deepEqual(allowed, PREFLIGHT['Access-Control-Request-Headers'].split(','), name);
      }
    }
  });

  describe('with CORS_ORIGINS set', OWN_SERVER, () => {
    const restricted = useServer({ CORS_ORIGINS: 'https://app.example.com,https://admin.example.com', WORKER: 'off' });
    test('only those origins are allowed', async () => {
      const allowedFor = async (origin: string) => {
        const reply = await call(restricted.url, 'GET', 'get-models', { headers: { Origin: origin } });
        return reply.headers.get('access-control-allow-origin');
      };
      assert.equal(await allowedFor('https://app.example.com'), 'https://app.example.com');
      assert.equal(await allowedFor('https://admin.example.com'), 'https://admin.example.com');
      for (const origin of [
        'https://evil.example.com',
        'http://app.example.com',
        'https://app.example.com.evil.io',
        'null',
      ]) {
        const allowed = await allowedFor(origin);
        assert.ok(allowed === null || allowed !== origin, `${origin} got ${allowed}`);
        assert.notEqual(allowed, '*');
      }
      const reply = await call(restricted.url, 'GET', 'get-models', { headers: { Origin: 'https://app.example.com' } });
      assert.ok(wordsOf(reply.headers, 'vary').includes('origin'));
    });
  });
});

describe('headers for browsers', () => {
  test('answers have a fixed content type and are not cached', async () => {
    const guest = await newGuest(target.url);
    const reply = await guest.get('get-user-profile');
    assert.equal(reply.headers.get('x-content-type-options'), 'nosniff');
    assert.match(reply.headers.get('cache-control') ?? '', /no-store|private/);
    assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
  });
});
