/** The list of models: what can be generated on this server, and at what price. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Model, modelsShape } from './support/answers.ts';
import { call, expectStatus } from './support/api.ts';
import { sandboxModel } from './support/guest.ts';
import { assertShape } from './support/shape.ts';
import { OWN_SERVER, useServer, useTarget } from './support/target.ts';

const target = useTarget();

const list = async (base: string, headers: Record<string, string> = {}) =>
  call<{ models: Model[] }>(base, 'GET', 'get-models', { headers });

/** The price of a model's default settings, as the contract computes it. */
function priceOf({ pricing, settings_schema }: Model): number {
  if (pricing.per_seconds === null) return pricing.credits;
  const duration = Object(settings_schema.properties.duration).default;
  return Math.ceil(duration / pricing.per_seconds) * pricing.credits;
}

describe('get-models', () => {
  test('answers every promised field, without a token', async () => {
    const reply = expectStatus(await list(target.url), 200);
    assertShape(reply.body, modelsShape);
  });

  test('the sandbox model matches the catalogue', async () => {
    const model = await sandboxModel(target.url);
    assert.equal(model.name, 'Sandbox');
    assert.deepEqual(model.pricing, { credits: 1, per_seconds: null });
    assert.equal(model.cost_per_generation, 1);
    assert.equal(model.prompt_max, 2000);
    assert.equal(model.is_featured, false);
    assert.equal(model.is_simulated, false, 'it needs no vendor');
    const { duration, resolution, aspect_ratio, fps } = model.settings_schema.properties;
    const { minimum, maximum, default: usual } = Object(duration);
    assert.deepEqual([Object(duration).type, minimum, maximum, usual], ['integer', 1, 10, 5]);
    assert.deepEqual([Object(resolution).enum, Object(resolution).default], [['360p', '720p', '1080p'], '720p']);
    assert.deepEqual([Object(aspect_ratio).enum, Object(aspect_ratio).default], [['16:9', '9:16', '1:1'], '16:9']);
    assert.deepEqual(Object(fps).enum, [24, 30]);
    assert.equal(Object(model.settings_schema).$schema, 'https://json-schema.org/draft/2020-12/schema');
  });

  test('lists available models, featured ones first, then by name, at the price of the default settings', async () => {
    const { models } = (await list(target.url)).body;
    assert.ok(models.every(({ is_available }) => is_available));
    const order = models.map(({ is_featured, name }) => `${is_featured ? 0 : 1} ${name}`);
    assert.deepEqual(order, order.toSorted());
    for (const model of models) assert.equal(model.cost_per_generation, priceOf(model), model.name);
    assert.equal(new Set(models.map(({ id }) => id)).size, models.length);
  });

  test('has a strong ETag, and answers 304 without a body if the ETag still matches', async () => {
    const reply = await list(target.url);
    const etag = reply.headers.get('etag') ?? '';
    assert.match(etag, /^"[^"]+"$/, 'strong, not weak');
    assert.equal((await list(target.url)).headers.get('etag'), etag);
    for (const known of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const again = await list(target.url, { 'If-None-Match': known });
      assert.equal(again.status, 304, known);
      assert.equal(again.text, '');
      assert.equal(again.headers.get('etag'), etag);
    }
    for (const known of ['"other"', etag.slice(1, -1), `${etag.slice(0, -1)}x"`, '']) {
      expectStatus(await list(target.url, { 'If-None-Match': known }), 200);
    }
  });

  test('answers HEAD with the headers alone', async () => {
    const [get, head] = [await list(target.url), await call(target.url, 'HEAD', 'get-models')];
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers.get('content-type'), get.headers.get('content-type'));
  });
});

describe('with a configured vendor', OWN_SERVER, () => {
  const KEY = { FALAI_API_KEY: 'key:secret', FAL_QUEUE_URL: 'https://127.0.0.1:9', WORKER: 'off' };
  const development = useServer(KEY);
  const staging = useServer({ ...KEY, ENVIRONMENT: 'staging' });

  test('a vendor with a key is called; one without is simulated in development and left out elsewhere', async () => {
    const providers = async (base: string) => {
      const { models } = (await list(base)).body;
      return [false, true].map((isSimulated) => {
        const named = models.filter(({ is_simulated }) => is_simulated === isSimulated).map(({ provider }) => provider);
        return [...new Set(named)].sort();
      });
    };
    assert.deepEqual(await providers(staging.url), [['fal', 'pika', 'sandbox'], []]);
    assert.deepEqual(await providers(development.url), [['fal', 'pika', 'sandbox'], ['runway']]);
  });

  test('a retired model is never listed', async () => {
    for (const base of [target.url, development.url]) {
      assert.ok(!(await list(base)).body.models.some(({ name }) => name === 'Sora 2'));
    }
  });
});
