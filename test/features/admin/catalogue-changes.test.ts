/** What administrators change of models, codes and products, and who sees it when. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople } from '../../support/people.ts';

const people = await createPeople();
const { app } = people;
const [ada, grace] = [await newAdministrator(app), await newAdministrator(app)];
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const reason = 'The vendor’s prices have changed.';
const [sandbox] = await people.rows(`select id, settings_schema from models where name = 'Sandbox'`);
const modelId = String(sandbox?.id);
const schema = sandbox?.settings_schema as { type: string; properties: Record<string, object> };
const toggle = (is_available: unknown, who = ada) =>
  who.call('admin-toggle-model', { model_id: modelId, is_available, reason });
const update = (changes: object, who = ada, headers = {}) =>
  who.call('admin-update-model', { model_id: modelId, reason, ...changes }, headers);

async function listed(etag = '') {
  const response = await app.fetch('/functions/v1/get-models', { headers: { 'If-None-Match': etag } });
  const models = response.status === 200 ? (await response.json()).models : [];
  const model = models.find(({ id }: { id: string }) => id === modelId);
  return { status: response.status, etag: response.headers.get('ETag') ?? '', model };
}
const actions = () =>
  people.rows(`select action_type as type, details from admin_actions where target_model_id = $1 order by id`, [
    modelId,
  ]);

describe('taking a model off', () => {
  it('shows at once in get-models and its ETag, stops new generations alone, and is undone by the same call', async () => {
    const guest = await people.guest(2);
    const running = await app.generate(guest.id);
    const before = await listed();
    assert.equal((await listed(before.etag)).status, 304);
    const off = await toggle(false);
    assert.deepEqual([off.status, off.body.id, off.body.is_available], [200, modelId, false]);
    const without = await listed(before.etag);
    assert.deepEqual([without.status, without.model], [200, undefined]);
    assert.equal((await people.generate(guest.token)).body.error.code, 'ERR_4002');
    await app.drain();
    assert.equal((await app.job(running)).status, 'completed');
    assert.equal((await toggle(false, grace)).status, 200);
    const { is_simulated, ...offered } = before.model;
    const { updated_at, ...on } = (await toggle(true)).body;
    assert.deepEqual(on, offered, 'the model as users see it');
    assert.equal((await listed(before.etag)).status, 304);
    assert.deepEqual(
      (await actions()).map(({ type }) => type),
      ['model_disable', 'model_enable'],
    );
    assert.deepEqual([(await toggle('no')).status, (await toggle(undefined)).status], [400, 400]);
  });
});

describe('a new price', () => {
  it('is that of later generations, and shows at once; those that were begun are refunded at theirs', async () => {
    const guest = await people.guest(20);
    const before = await listed();
    const begun = await app.generate(guest.id);
    const { status, body } = await update({ price_credits: 3 });
    assert.deepEqual([status, body.cost_per_generation, body.pricing], [200, 3, { credits: 3, per_seconds: null }]);
    const after = await listed(before.etag);
    assert.deepEqual([after.status, after.model.pricing.credits], [200, 3]);
    assert.equal((await people.generate(guest.token)).body.credits_used, 3);
    const cancelled = await ada.call('admin-cancel-job', { job_id: begun, reason });
    assert.deepEqual([cancelled.body.refunded, await app.balance(guest.id)], [1, 17]);
    assert.deepEqual((await actions()).at(-1), {
      type: 'model_update',
      details: { cost_per_generation: { from: 1, to: 3 } },
    });
  });

  it('may be by the second: of the default settings it is kept beside, and the bounds cannot overflow it', async () => {
    const guest = await people.guest(20);
    const { body } = await update({ price_per_seconds: 2 });
    assert.deepEqual([body.pricing, body.cost_per_generation], [{ credits: 3, per_seconds: 2 }, 9]);
    const made = await people.generate(guest.token, { settings: { duration: 3 } });
    assert.equal(made.body.credits_used, 6);
    const long = { ...schema, properties: { duration: { type: 'integer', enum: [3_600], default: 3_600 } } };
    const most = await update({ price_credits: 10_000, price_per_seconds: 1, settings_schema: long });
    assert.equal(most.body.cost_per_generation, 36_000_000);
    assert.equal((await people.generate(guest.token)).body.error.details.required, 36_000_000);
    assert.equal((await update({ price_credits: 1, price_per_seconds: 5, settings_schema: schema })).status, 200);
  });

  it('keeps what another administrator changes at the same time', async () => {
    const answers = await Promise.all([update({ name: 'Sandbox 2' }), update({ is_featured: true }, grace)]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    const { name, is_featured } = (await listed()).model;
    assert.deepEqual([name, is_featured], ['Sandbox 2', true]);
    const key = { 'Idempotency-Key': randomUUID() };
    const [one, other] = await Promise.all([1, 2].map(() => update({ name: 'Sandbox', is_featured: null }, ada, key)));
    assert.deepEqual(one?.body, other?.body);
    assert.equal((await update({ name: 'Sandbox', is_featured: false }, ada, key)).status, 422);
  });
});

describe('a change of a model', () => {
  it('replaces texts, removes by an empty one, and records nothing where nothing differs', async () => {
    const url = 'https://cdn.example.com/sandbox.jpg';
    const { body } = await update({ description: ' A test. ', thumbnail_url: url });
    assert.deepEqual(
      [body.description, body.thumbnail_url, (await listed()).model.thumbnail_url],
      ['A test.', url, url],
    );
    const count = (await actions()).length;
    const same = await update({ description: 'A test.' });
    assert.deepEqual([same.body.updated_at, (await actions()).length], [body.updated_at, count]);
    assert.equal((await update({ thumbnail_url: '' })).body.thumbnail_url, null);
  });

  for (const [what, changes, field] of [
    ['nothing', {}, 'body'],
    ['an unknown field alone', { price: 3 }, 'body'],
    ['a free generation', { price_credits: 0 }, 'price_credits'],
    ['a price above 10,000', { price_credits: 10_001 }, 'price_credits'],
    ['a unit of half a second', { price_per_seconds: 0.5 }, 'price_per_seconds'],
    ['an empty name', { name: ' ' }, 'name'],
    ['a long name', { name: 'a'.repeat(101) }, 'name'],
    ['a thumbnail that is a script', { thumbnail_url: 'javascript:alert(1)' }, 'thumbnail_url'],
    ['a thumbnail without https', { thumbnail_url: 'http://cdn.example.com/a.jpg' }, 'thumbnail_url'],
    ['settings that are a list', { settings_schema: [] }, 'settings_schema'],
  ] as const) {
    it(`is 400 for ${what}`, async () => {
      const { status, body } = await update(changes);
      assert.deepEqual([status, body.error.code, body.error.details.field], [400, 'ERR_4006', field]);
    });
  }

  it('is 404 for an unknown model, and 400 for what is no id', async () => {
    for (const name of ['admin-update-model', 'admin-toggle-model']) {
      const body = { name: 'x', is_available: false, reason };
      assert.equal((await ada.call(name, { ...body, model_id: randomUUID() })).status, 404);
      assert.equal((await ada.call(name, { ...body, model_id: 'x' })).body.error.details.field, 'model_id');
    }
  });
});

describe('a settings schema', () => {
  const duration = { type: 'integer', enum: [2, 4], default: 2 };
  const refused: [what: string, properties: Record<string, unknown>, field: string][] = [
    ['no duration', { fps: { type: 'integer', enum: [24] } }, 'duration'],
    ['a duration without a default', { duration: { ...duration, default: undefined } }, 'duration.default'],
    ['a default that is not offered', { duration: { ...duration, default: 3 } }, 'duration.default'],
    ['a duration in words', { duration: { type: 'string', enum: ['2'], default: '2' } }, 'duration.type'],
    ['half a second', { duration: { type: 'integer', enum: [0.5], default: 0.5 } }, 'duration.enum.0'],
    ['no seconds', { duration: { type: 'integer', enum: [0, 2], default: 2 } }, 'duration.enum.0'],
    ['a day', { duration: { type: 'integer', minimum: 1, maximum: 86_400, default: 2 } }, 'duration.maximum'],
    ['no longest duration', { duration: { type: 'integer', minimum: 1, default: 2 } }, 'duration.maximum'],
    ['bounds the wrong way', { duration: { type: 'integer', minimum: 5, maximum: 2, default: 3 } }, 'duration.maximum'],
    ['bounds beside a list', { duration: { ...duration, minimum: 2 } }, 'duration.minimum'],
    ['a value twice', { duration, fps: { type: 'integer', enum: [24, 24] } }, 'fps.enum.1'],
    ['a value of another type', { duration, resolution: { type: 'string', enum: ['720p', 720] } }, 'resolution.enum.1'],
    ['an empty list', { duration, resolution: { type: 'string', enum: [] } }, 'resolution.enum'],
    ['a resolution that is a number', { duration, resolution: { type: 'integer' } }, 'resolution.type'],
    ['a word that is not checked', { duration, seed: { type: 'integer', multipleOf: 5 } }, 'seed.multipleOf'],
    ['a type that is not checked', { duration, seed: { type: 'number' } }, 'seed.type'],
    ['a name with a dot', { duration, 'a.b': { type: 'integer' } }, 'a.b'],
  ];
  for (const [what, properties, field] of refused) {
    it(`is 400 with ${what}, and the field is named`, async () => {
      const { status, body } = await update({ settings_schema: { type: 'object', properties } });
      assert.deepEqual([status, body.error.details.field], [400, `settings_schema.properties.${field}`]);
    });
  }

  it('that is accepted is what generations are checked against at once, whatever its settings are called', async () => {
    const guest = await people.guest(5);
    const limitless = { type: 'integer', minimum: 0, maximum: 2 ** 40 };
    const properties = { duration, constructor: limitless, look: { type: 'boolean', default: true } };
    assert.equal((await update({ settings_schema: { type: 'object', properties } })).status, 200);
    const { body } = await people.generate(guest.token, { settings: { duration: 4, resolution: '8k' } });
    const [job] = await people.rows('select settings from video_jobs where job_id = $1', [body.job_id]);
    assert.deepEqual(job?.settings, { duration: 4, look: true });
    const wrong = await people.generate(guest.token, { settings: { constructor: -1 } });
    assert.deepEqual(wrong.body.error.details, {
      field: 'settings.constructor',
      allowed: { type: 'integer', minimum: 0, maximum: 2 ** 40 },
    });
    assert.equal((await update({ settings_schema: { ...schema, additionalProperties: false } })).status, 400);
    assert.equal((await update({ settings_schema: schema })).status, 200);
  });
});
