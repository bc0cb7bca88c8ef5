/** The simulated Stripe behind Stripe's own library, and its controls over a port. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Stripe } from 'stripe';
import { serveSimulator } from '../../sim/serve.ts';
import { withStripeControls } from '../../sim/stripe/controls.ts';
import { createStripeSimulator } from '../../sim/stripe.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';

const simulator = createStripeSimulator({ clock: systemClock, log: silentLog, deliver: fetch });
const served = await serveSimulator(withStripeControls(simulator));
after(async () => {
  await served.close();
  await simulator.close();
});

const { hostname: host, port } = new URL(served.url);
const clientWith = (key: string) =>
  new Stripe(key, { host, port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 });
const stripe = clientWith(simulator.credentials.secretKey);
const params = (unit_amount = 500): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  success_url: 'https://shop.example/?checkout=success',
  line_items: [{ quantity: 2, price_data: { currency: 'usd', unit_amount, product_data: { name: 'ten & more' } } }],
  metadata: { 'a key': 'a=b&c' },
});

async function control<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const init = { method, headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${served.url}/_control${path}`, body ? { ...init, body: JSON.stringify(body) } : init);
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text || 'null');
}
type Happened = { id: string; events: { id: string; type: string; body: string }[] };
const typesOf = ({ events }: Happened) => events.map(({ type }) => type);

test('a checkout is open until it is paid, and its payment has what was asked for', async () => {
  const made = await stripe.checkout.sessions.create(params());
  assert.deepEqual([made.amount_total, made.payment_status, made.metadata], [1000, 'unpaid', { 'a key': 'a=b&c' }]);
  const paid = await control<Happened>('POST', `/sessions/${made.id}/pay`, {});
  assert.deepEqual(typesOf(paid), ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed']);
  const session = await stripe.checkout.sessions.retrieve(made.id);
  assert.deepEqual([session.payment_status, session.payment_intent, session.url], ['paid', paid.id, null]);
  const intent = await stripe.paymentIntents.retrieve(paid.id);
  assert.deepEqual([intent.status, intent.amount_received], ['succeeded', 1000]);
});

test('refunds and disputes are listed page by page, newest first', async () => {
  const { id } = await stripe.checkout.sessions.create(params());
  const { id: payment_intent } = await control<Happened>('POST', `/sessions/${id}/pay`, {});
  const made = [];
  for (const amount of [1, 2, 3]) made.push(await stripe.refunds.create({ payment_intent, amount }));
  const first = await stripe.refunds.list({ payment_intent, limit: 2 });
  assert.deepEqual([first.has_more, first.data.map(({ amount }) => amount)], [true, [3, 2]]);
  const all = await stripe.refunds.list({ payment_intent, limit: 2 }).autoPagingToArray({ limit: 10 });
  assert.deepEqual(
    all.map((refund) => refund.id).reverse(),
    made.map((refund) => refund.id),
  );
  await assert.rejects(stripe.refunds.create({ payment_intent, amount: 995 }), { statusCode: 400 });

  const failed = await control<Happened>('POST', `/refunds/${made[0]?.id}/fail`);
  assert.deepEqual(typesOf(failed), ['refund.updated', 'refund.failed', 'charge.refund.updated']);
  const dispute = await control<Happened>('POST', `/payments/${payment_intent}/dispute`, { amount: 5 });
  await control('POST', `/disputes/${dispute.id}/close`, { isWon: true });
  const [listed] = (await stripe.disputes.list({ payment_intent })).data;
  assert.deepEqual([listed?.status, listed?.balance_transactions.map(({ amount }) => amount)], ['won', [-5, 5]]);
});

test('what Stripe refuses is refused with its errors', async () => {
  const key = 'sk_test_other';
  await assert.rejects(clientWith(key).checkout.sessions.create(params()), { type: 'StripeAuthenticationError' });
  await assert.rejects(stripe.checkout.sessions.create({ ...params(), locale: 'en' }), {
    code: 'parameter_unknown',
    param: 'locale',
  });
  const { success_url: _, ...without } = params();
  await assert.rejects(stripe.checkout.sessions.create(without), { code: 'parameter_missing', param: 'success_url' });
  await assert.rejects(stripe.checkout.sessions.create(params(1)), { code: 'amount_too_small' });
  await assert.rejects(stripe.paymentIntents.retrieve('pi_1'), { code: 'resource_missing', statusCode: 404 });
  await assert.rejects(stripe.balance.retrieve(), { statusCode: 404 });
});

test('a repeat under a key is the first answer, and the key of other parameters an error', async () => {
  const idempotencyKey = 'the-key';
  const first = await stripe.checkout.sessions.create(params(), { idempotencyKey });
  const again = await stripe.checkout.sessions.create(params(), { idempotencyKey });
  assert.equal(again.id, first.id);
  await assert.rejects(stripe.checkout.sessions.create(params(600), { idempotencyKey }), {
    type: 'StripeIdempotencyError',
  });
});

test('the controls choose what fails, where events go, and when they are sent again', async () => {
  await control('POST', '/faults', { on: 'create_session', reply: { status: 500, text: '{"error":{}}' } });
  await assert.rejects(stripe.checkout.sessions.create(params()), { type: 'StripeAPIError' });
  await control('POST', '/faults', { on: 'create_session', reply: 'cut' });
  await control('DELETE', '/faults');
  const { id } = await stripe.checkout.sessions.create(params());
  await control('PUT', '/webhooks', { url: `${served.url}/nowhere`, isAutomatic: false, retryMs: 1 });
  await control('POST', `/sessions/${id}/decline`);
  const { events } = await control<Happened>('POST', `/sessions/${id}/expire`);
  assert.deepEqual(await control('POST', `/events/${events[0]?.id}/deliver`), { status: 404 });
  const deliveries = await control<{ type: string; status: number }[]>('GET', '/deliveries');
  assert.deepEqual(
    deliveries.map(({ type, status }) => [type, status]),
    [['checkout.session.expired', 404]],
  );
  assert.equal((await control<object[]>('GET', '/events')).length > 3, true);
  const sessions = await control<{ id: string; status: string }[]>('GET', '/sessions');
  assert.equal(sessions.find((session) => session.id === id)?.status, 'expired');
  const calls = await control<{ operation: string }[]>('GET', '/calls');
  assert.equal(calls.at(-1)?.operation, 'create_session');
  const refused = await fetch(`${served.url}/_control/sessions/${id}/pay`, { method: 'POST', body: '{}' });
  assert.deepEqual(
    [refused.status, await refused.json()],
    [400, { error: 'This checkout session is not open any more.' }],
  );
});
