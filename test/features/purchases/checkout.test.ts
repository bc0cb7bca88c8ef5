/** Opening a checkout of the web shop: what is sold, at which price, and what a user hears when it cannot be. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, test } from 'node:test';
import { serveSimulator } from '../../../sim/serve.ts';
import { createStripeSimulator } from '../../../sim/stripe.ts';
import { processPaymentNotification } from '../../../src/features/purchases/worker/process-payment.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { type Log, silentLog } from '../../../src/kernel/log.ts';
import { createPeople } from '../../support/people.ts';
import { createShop, PRODUCT, WEBHOOK_PATH } from '../../support/stripe.ts';

const errors: string[] = [];
const log: Log = { ...silentLog, error: (_fields, message) => errors.push(message) };
const shop = await createShop({ log });
const { people, stripe } = shop;
const { controls } = stripe;
after(() => shop[Symbol.asyncDispose]());
afterEach(() => {
  controls.clearFaults();
  errors.length = 0;
});

const codeOf = ({ status, body }: { status: number; body: { error?: { code: string; details: object } } }) => ({
  status,
  code: body.error?.code,
  ...body.error?.details,
});

test('a checkout sells the product at its web price, for the caller, and leads back to this site', async () => {
  const person = await people.guest();
  const answer = await shop.checkout(person, { product_id: 'com.rendio.credits.50', quantity: 2 });
  const session = controls.sessions().at(-1);
  assert.deepEqual([answer.status, answer.body], [200, { url: session?.url }]);
  const names = ['amount_total', 'currency', 'client_reference_id', 'success_url', 'cancel_url'];
  assert.deepEqual(
    names.map((name) => session?.[name]),
    [2 * 1199, 'usd', person.id, 'http://rendio.test/?checkout=success', 'http://rendio.test/?checkout=cancelled'],
  );
});

test('the price, the credits and the owner come from the server alone', async () => {
  const [person, other] = [await people.guest(), await people.guest()];
  const forged = { price: 1, price_cents: 1, credits: 1000, currency: 'xof', success_url: 'https://evil.example' };
  assert.equal((await shop.checkout(person, forged)).status, 200);
  const session = controls.sessions().at(-1);
  assert.deepEqual([session?.amount_total, session?.currency], [299, 'usd']);
  assert.doesNotMatch(JSON.stringify(session), /evil/);
  assert.equal((await shop.checkout(person, { user_id: other.id })).status, 403);
  assert.equal((await people.call('', 'create-checkout', { product_id: PRODUCT })).status, 401);
});

test('what is not sold on the web is refused by name', async () => {
  const person = await people.guest();
  const before = controls.calls().length;
  await people.rows(`insert into products (product_id, display_name, credits, web_price_cents, is_active) values
    ('in.the.app', 'In the app alone', 10, null, true), ('retired', 'Retired', 10, 299, false)`);
  for (const product_id of ['unknown', 'in.the.app', 'retired', '', 'x'.repeat(201), 1, null, 'a\u0000b']) {
    const { status, code, field } = { field: '', ...codeOf(await shop.checkout(person, { product_id })) };
    assert.deepEqual([status, code, field], [400, 'ERR_4006', 'product_id'], String(product_id));
  }
  for (const quantity of [0, -1, 1.5, '2', 101, 1e300]) {
    const { status, code, field } = { field: '', ...codeOf(await shop.checkout(person, { quantity })) };
    assert.deepEqual([status, code, field], [400, 'ERR_4006', 'quantity'], String(quantity));
  }
  await people.rows(`update products set web_price_cents = 99999999 where product_id = 'com.rendio.credits.100'`);
  const dear = await shop.checkout(person, { product_id: 'com.rendio.credits.100', quantity: 2 });
  assert.deepEqual(codeOf(dear), { status: 400, code: 'ERR_4006', field: 'quantity' });
  assert.equal(controls.calls().length, before, 'Stripe was not asked');
});

test('a repeat with the same key opens the same page, of the caller alone; the key of another request is 422', async () => {
  const [person, other] = [await people.guest(), await people.guest()];
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await shop.checkout(person, {}, headers);
  const repeats = await Promise.all([
    shop.checkout(person, {}, headers),
    shop.checkout(person, { quantity: null }, { 'Idempotency-Key': `"${headers['Idempotency-Key'].toUpperCase()}"` }),
  ]);
  for (const { status, body } of repeats) assert.deepEqual([status, body], [200, first.body]);
  const another = await shop.checkout(other, {}, headers);
  assert.equal(another.status, 200);
  assert.notDeepEqual(another.body, first.body);
  assert.deepEqual(codeOf(await shop.checkout(person, { quantity: 2 }, headers)), {
    status: 422,
    code: 'ERR_4009',
    field: 'Idempotency-Key',
  });
  assert.notDeepEqual((await shop.checkout(person)).body, (await shop.checkout(person)).body, 'without a key');
});

test('while Stripe is away, or refuses our key, a checkout is 503 with Retry-After, and the operator hears of the key', async () => {
  const person = await people.guest();
  const away = [
    { times: 2, reply: 'cut' as const },
    { times: 2, reply: { status: 500, text: '{"error":{"type":"api_error"}}' } },
    { reply: { status: 200, text: '<html>' } },
  ];
  for (const fault of away) {
    controls.plan(fault);
    const answer = await shop.checkout(person);
    assert.deepEqual(codeOf(answer), { status: 503, code: 'ERR_5006' });
    assert.equal(answer.headers.get('Retry-After'), '30');
  }
  assert.deepEqual(errors, []);
  const busy = { status: 429, text: '{"error":{"code":"rate_limit"}}', headers: { 'retry-after': '7' } };
  controls.plan({ reply: busy });
  assert.equal((await shop.checkout(person)).headers.get('Retry-After'), '7');
  for (const status of [401, 403]) {
    controls.plan({ reply: { status, text: '{"error":{"type":"invalid_request_error"}}' } });
    assert.deepEqual(codeOf(await shop.checkout(person)), { status: 503, code: 'ERR_5006' });
  }
  assert.deepEqual(errors, Array(2).fill('Stripe refuses the key of this server, or a right of it'));
});

test('a product that Stripe does not sell is not sold, and the operator hears of it', async () => {
  const person = await people.guest();
  controls.plan({
    reply: { status: 400, text: '{"error":{"type":"invalid_request_error","code":"amount_too_small"}}' },
  });
  assert.deepEqual(codeOf(await shop.checkout(person)), { status: 400, code: 'ERR_4006', field: 'product_id' });
  assert.deepEqual(errors, ['Stripe does not sell this product']);
});

test('checkouts count against the purchase limit, also those that are refused', async () => {
  await using limited = await createShop({ env: { RATE_LIMIT_PURCHASES_PER_HOUR: '2' } });
  const person = await limited.people.guest();
  assert.equal((await limited.checkout(person)).headers.get('RateLimit-Policy'), '"purchases";q=2;w=3600');
  assert.equal((await limited.checkout(person, { product_id: 'unknown' })).status, 400);
  const third = await limited.checkout(person);
  assert.deepEqual([third.status, third.body.error.code], [429, 'ERR_4004']);
  assert.ok(Number(third.headers.get('Retry-After')) > 3000);
  assert.equal(limited.stripe.controls.sessions().length, 1);
});

test('a banned account opens no checkout', async () => {
  const person = await people.guest();
  await people.rows('insert into user_bans (user_id, reason) values ($1, $2)', [person.id, 'test']);
  assert.deepEqual(codeOf(await shop.checkout(person)), { status: 403, code: 'ERR_4013' });
});

test('without Stripe’s keys there is no web shop: 501 for the checkout and for the webhook', async () => {
  await using off = await createPeople();
  const person = await off.guest();
  const feature = 'web-shop';
  const expected = { status: 501, code: 'ERR_4017', feature };
  assert.deepEqual(codeOf(await off.call(person.token, 'create-checkout', { product_id: PRODUCT })), expected);
  const init = { method: 'POST', body: '{}', headers: { 'Stripe-Signature': 't=1,v1=0' } };
  assert.equal((await off.app.fetch(WEBHOOK_PATH, init)).status, 501);
});

test('a server that is configured for it sells at the page of Stripe, over the network, and its webhook credits', async () => {
  await using stack = new AsyncDisposableStack();
  const remote = createStripeSimulator({ clock: systemClock, log: silentLog, deliver: fetch });
  stack.defer(() => remote.close());
  remote.controls.events.setAutomatic(false);
  const served = await serveSimulator(remote.app);
  stack.defer(() => served.close());
  const { secretKey, webhookSecret } = remote.credentials;
  const env = { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret, STRIPE_API_URL: served.url };
  const buyers = stack.use(await createPeople({ env }));
  const person = await buyers.guest(3);
  const { body } = await buyers.call(person.token, 'create-checkout', { product_id: PRODUCT });
  const { url } = body as { url: string };

  const page = await (await fetch(url)).text();
  assert.match(page, /1 × 10 credits/);
  const press = async (name: string) => {
    const [, action = ''] = new RegExp(`action="([^"]+/${name})"`).exec(page) ?? [];
    return fetch(new URL(action, url), { method: 'POST', redirect: 'manual' });
  };
  assert.match(await (await press('decline')).text(), /declined/);
  const paid = await press('pay');
  assert.deepEqual([paid.status, paid.headers.get('location')], [303, 'http://rendio.test/?checkout=success']);
  assert.equal((await fetch(url)).status, 400, 'it is paid only once');

  const event = remote.controls.events.list().at(-1);
  const headers = { 'Stripe-Signature': remote.controls.events.sign(event?.body ?? '') };
  const answer = await buyers.app.fetch(WEBHOOK_PATH, { method: 'POST', headers, body: event?.body ?? '' });
  assert.equal(answer.status, 200);
  await processPaymentNotification(buyers.app.ctx, event?.id ?? '');
  assert.equal(await buyers.app.balance(person.id), 13);
  await buyers.assertUnbroken();
});
