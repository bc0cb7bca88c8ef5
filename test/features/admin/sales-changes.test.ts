/** Codes that administrators create, and what they change of products. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople } from '../../support/people.ts';

const people = await createPeople();
const ada = await newAdministrator(people.app);
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const reason = 'For the campaign.';
const actionsOn = (target: string) =>
  people.rows('select action_type as type, amount, details from admin_actions where target = $1 order by id', [target]);

describe('creating a code', () => {
  const create = (body: object, headers = {}) =>
    ada.call('admin-create-code', { credits: 5, uses_max: 2, reason, ...body }, headers);
  const redeem = async (code: string) => people.call((await people.guest(0)).token, 'redeem-code', { code });

  it('makes one that gives its credits to so many accounts, and is recorded by its id alone', async () => {
    const { status, body } = await create({ code: 'summer-2027', expires_at: '2099-01-01T01:00:00+01:00' });
    const { id, created_at, ...rest } = body;
    assert.deepEqual(
      [status, rest],
      [200, { code: 'SUMMER2027', credits: 5, uses: 0, uses_max: 2, expires_at: '2099-01-01T00:00:00.000Z' }],
    );
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const answers = [await redeem('Summer 2027'), await redeem('SUMMER2027'), await redeem('summer2027')];
    assert.deepEqual(
      answers.map(({ status: each }) => each),
      [200, 200, 400],
    );
    assert.deepEqual(await actionsOn(id), [
      { type: 'code_create', amount: 5, details: { uses_max: 2, expires_at: '2099-01-01T00:00:00.000Z' } },
    ]);
  });

  it('makes another one each time without a code, which cannot be guessed, and one for a key', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all([...[1, 2].map(() => create({ code: null, expires_at: null }, key)), create({})]);
    const codes = new Set(answers.map(({ body }) => body.code));
    assert.equal(codes.size, 2);
    for (const code of codes) assert.match(code, /^[A-Z0-9]{12}$/);
    assert.equal((await create({ credits: 6 }, key)).status, 422);
  });

  it('is 409 for a code that there is already, in whatever letters, also for two at once', async () => {
    const both = await Promise.all([create({ code: 'WINTER' }), create({ code: 'win-ter' })]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    const { status, body } = await create({ code: ' w i n t e r ' });
    assert.deepEqual([status, body.error.code, body.error.details.field], [409, 'ERR_4008', 'code']);
  });

  for (const [what, change] of Object.entries({
    'no credits': { credits: 0 },
    'more than 10,000 credits': { credits: 10_001 },
    'no uses': { uses_max: 0 },
    'more than a million uses': { uses_max: 1_000_001 },
    'a code of three letters': { code: 'abc' },
    'a code of other letters': { code: 'саммер' },
    'a time that has passed': { expires_at: '2020-01-01T00:00:00Z' },
    'a day that there is not': { expires_at: '2099-02-30T00:00:00Z' },
    'a time without a zone': { expires_at: '2099-01-01T00:00:00' },
    'no reason': { reason: null },
  })) {
    it(`is 400 with ${what}`, async () => {
      const { status, body } = await create(change);
      assert.deepEqual([status, body.error.code, body.error.details.field], [400, 'ERR_4006', Object.keys(change)[0]]);
    });
  }
});

describe('changing a product', () => {
  const productId = 'com.rendio.credits.50';
  const update = (body: object) => ada.call('admin-update-product', { product_id: productId, reason, ...body });
  const listed = async () => {
    const { body } = await people.call((await people.guest(0)).token, 'get-products');
    return body.products.find(({ product_id: id }: { product_id: string }) => id === productId);
  };

  it('shows at once where products are listed, and is recorded with what it was before', async () => {
    const { status, body } = await update({ credits: 55, display_name: ' 55 credits ' });
    assert.deepEqual([status, body.credits, body.display_name, body.is_active], [200, 55, '55 credits', true]);
    assert.deepEqual(await listed(), { product_id: productId, credits: 55, display_name: '55 credits' });
    assert.equal((await update({ credits: 55, is_active: null })).status, 200);
    assert.equal((await update({ is_active: false })).body.is_active, false);
    assert.equal(await listed(), undefined);
    assert.deepEqual(
      (await actionsOn(productId)).map(({ details }) => details),
      [
        { credits: { from: 50, to: 55 }, display_name: { from: '50 credits', to: '55 credits' } },
        { is_active: { from: true, to: false } },
      ],
    );
  });

  it('is 404 for an unknown product, and 400 for what is out of bounds or changes nothing', async () => {
    assert.equal((await update({ product_id: 'com.example.none', credits: 1 })).status, 404);
    for (const [field, change] of Object.entries({
      credits: { credits: 10_001 },
      display_name: { display_name: '' },
      is_active: { is_active: 'no' },
      body: {},
    })) {
      assert.deepEqual([(await update(change)).status, (await update(change)).body.error.details.field], [400, field]);
    }
  });
});
