/** For operators and tools: health, readiness, the OpenAPI document, the web page, and logs without secrets. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { startTestServer } from '../support/server.ts';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { call, expectStatus, type Json } from './support/api.ts';
import { deviceCheck, deviceTokenOf, newGuest, SHORT } from './support/guest.ts';
import { refresh } from './support/refresh.ts';
import { ROUTES } from './support/routes.ts';
import { OWN_SERVER, useTarget } from './support/target.ts';

const target = useTarget();

type Operation = {
  security?: object[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content?: Record<string, { schema?: object }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object }> }>;
};
type OpenApi = { openapi: string; paths: Record<string, Record<string, Operation>>; components?: Json };

describe('health', () => {
  test('/healthz is 200 while the process is up', async () => {
    const reply = expectStatus(await call(target.url, 'GET', '/healthz'), 200);
    assert.equal(typeof reply.body, 'object');
    expectStatus(await call(target.url, 'HEAD', '/healthz'), 200);
  });

  test('/readyz is 200 when database, migrations and worker are in order, and names each of them', async () => {
    const reply = expectStatus(await call(target.url, 'GET', '/readyz'), 200);
    for (const word of ['database', 'migrations', 'worker']) assert.ok(reply.text.includes(word), word);
    assert.doesNotMatch(reply.text, /postgres:|password|127\.0\.0\.1/);
  });

  test('/metrics is text for Prometheus, or says to whom or where there is none', async () => {
    const reply = await call(target.url, 'GET', '/metrics');
    if (reply.status === 200) {
      assert.match(reply.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
      assert.match(reply.text, /^rendio_money_invariant_broken\{invariant="[^"]+"\} \d+$/m);
      return;
    }
    const code = { 401: 'ERR_4005', 403: 'ERR_4005', 501: 'ERR_4017' }[reply.status];
    assert.equal(Object(reply.body).error?.code, code ?? 'none', reply.text);
  });

  test('a server without its own worker is ready as well', OWN_SERVER, async () => {
    await using server = await startServerOnDatabase({ env: { WORKER: 'off' } });
    expectStatus(await call(server.url, 'GET', '/readyz'), 200);
  });
});

describe('/openapi.json', () => {
  const read = async () => expectStatus(await call<OpenApi>(target.url, 'GET', '/openapi.json'), 200).body;

  test('describes every endpoint, with its answer, its errors and its authentication', async () => {
    const { openapi, paths } = await read();
    assert.match(openapi, /^3\.\d+\.\d+$/);
    for (const { method, name, isPublic, body } of ROUTES) {
      const operation = paths[`/functions/v1/${name}`]?.[method.toLowerCase()];
      assert.ok(operation, `${method} ${name}`);
      assert.equal((operation.security?.length ?? 0) > 0, !isPublic, `security of ${method} ${name}`);
      const success = operation.responses['200'];
      assert.ok(success, `the 200 of ${method} ${name}`);
      assert.ok(Object.values(success.content ?? {})[0]?.schema, `the schema of ${method} ${name}`);
      if (!isPublic)
        for (const status of ['401', '403', '429'])
          assert.ok(operation.responses[status], `${status} of ${method} ${name}`);
      if (body)
        assert.ok(operation.requestBody?.content?.['application/json']?.schema, `the body of ${method} ${name}`);
    }
  });

  test('names the parameters that callers have to know', async () => {
    const { paths } = await read();
    const parametersOf = (name: string, method: string) =>
      (paths[`/functions/v1/${name}`]?.[method]?.parameters ?? []).map(
        (parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`,
      );
    for (const [name, method, wanted] of [
      ['get-video-status', 'get', ['query job_id']],
      ['get-video-jobs', 'get', ['query limit', 'query offset', 'query cursor', 'query status']],
      ['get-credit-history', 'get', ['query limit', 'query cursor']],
      ['generate-video', 'post', ['header idempotency-key']],
      ['cancel-video-job', 'post', ['header idempotency-key']],
      ['job-events', 'get', ['header last-event-id']],
      ['get-models', 'get', ['header if-none-match']],
    ] as const) {
      for (const parameter of wanted)
        assert.ok(parametersOf(name, method).includes(parameter), `${parameter} of ${name}`);
    }
  });

  test('describes the other endpoints: sessions, keys, health', async () => {
    const { paths } = await read();
    for (const [path, method] of [
      ['/auth/v1/token', 'post'],
      ['/auth/v1/.well-known/jwks.json', 'get'],
      ['/healthz', 'get'],
      ['/readyz', 'get'],
      ['/metrics', 'get'],
    ] as const) {
      assert.ok(paths[path]?.[method]?.responses['200'], `${method} ${path}`);
    }
  });

  test('every $ref in it resolves', async () => {
    const document = await read();
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g);
    let count = 0;
    for (const [, path = ''] of references) {
      count += 1;
      const found = path.split('/').reduce<unknown>((node, key) => Object(node)[key.replaceAll('~1', '/')], document);
      assert.ok(found, path);
    }
    assert.ok(count > 0);
  });
});

describe('the page at /', () => {
  test('is HTML with a content security policy that allows no foreign script', async () => {
    const reply = expectStatus(await call(target.url, 'GET', '/'), 200);
    assert.match(reply.headers.get('content-type') ?? '', /^text\/html/);
    const policy = reply.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src|script-src/);
    assert.doesNotMatch(policy, /unsafe-eval|\*/);
  });

  test('no path leads to files outside the folder of the page', async () => {
    for (const path of [
      '/playground/../../package.json',
      '/playground/..%2f..%2fpackage.json',
      '/playground/%2e%2e/%2e%2e/package.json',
      '/.env',
      '/package.json',
      '/src/entry/node.ts',
    ]) {
      const reply = await call(target.url, 'GET', path);
      assert.ok([400, 403, 404].includes(reply.status), `${path}: ${reply.status}`);
    }
  });
});

describe('the logs', OWN_SERVER, () => {
  test('hold no prompt, no device id, no token and no signed URL, even at level trace', async () => {
    await using server = await startTestServer({ env: { LOG_LEVEL: 'trace' } });
    const deviceId = `device-${randomUUID()}`;
    const guest = await newGuest(server.url, { deviceId });
    const prompt = `a secret wish ${randomUUID()}`;
    const { job_id } = await guest.start({ prompt, settings: SHORT });
    const job = await guest.waitFor(job_id, ['completed', 'failed']);
    assert.ok(job.video_url);
    await call('', 'GET', job.video_url);
    const session = expectStatus(await refresh(server.url, guest.refreshToken), 200).body;
    await refresh(server.url, `${guest.refreshToken}x`);
    await call(server.url, 'GET', `get-user-credits?access_token=${guest.token}`, { token: `${guest.token}x` });
    const badToken = deviceTokenOf(`invalid-${randomUUID()}`);
    await deviceCheck(server.url, { device_id: deviceId, device_token: badToken });
    await guest.generate({ prompt: `${prompt}\u0000` });
    await guest.post('generate-video', `{"prompt":"${prompt}`);
    await server.kill('SIGTERM');

    const log = server.output();
    assert.match(log, /request/, 'it does log');
    const mediaToken = new URL(job.video_url).searchParams.get('token') ?? '';
    for (const [what, secret] of Object.entries({
      'the prompt': prompt,
      'the device id': deviceId,
      'the device token': guest.deviceToken,
      'another device token': badToken,
      'the access token': guest.token,
      'a later access token': session.access_token,
      'the refresh token': guest.refreshToken,
      'a later refresh token': session.refresh_token,
      'a media token': mediaToken,
      'part of a token': guest.token.slice(-40),
    })) {
      assert.ok(secret.length > 20);
      assert.equal(log.includes(secret), false, `${what} in the log`);
    }
  });
});
