/** The web shop's adapter in front of the simulated Stripe: what it sends, what each answer means, which events it believes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, describe, it, test } from 'node:test';
import { Stripe } from 'stripe';
import { inProcessFetch } from '../../sim/in-process-fetch.ts';
import { createStripeSimulator } from '../../sim/stripe.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { CheckoutRequest, PaymentNotification } from '../../src/payments/port.ts';
import { milliunitsOf, percentageOf } from '../../src/payments/stripe/amounts.ts';
import { createStripePayments, type StripeOptions } from '../../src/payments/stripe/index.ts';

let now = new Date('2026-11-23T10:00:00.900Z');
const clock: Clock = { now: () => now };
const stripe = createStripeSimulator({ clock, log: silentLog, deliver: fetch });
const { controls, credentials } = stripe;
after(() => stripe.close());
beforeEach(() => {
  now = new Date('2026-11-23T10:00:00.900Z');
  controls.clearFaults();
});

const overSimulator = inProcessFetch(new Map([['api.stripe.com', stripe.app]]));
const { secretKey, webhookSecret } = credentials;
const create = (more: Partial<StripeOptions> = {}) =>
  createStripePayments({ secretKey, webhookSecret, fetch: overSimulator, clock, ...more });
const payments = create();
const signal = () => AbortSignal.timeout(30_000);

const requestOf = (more: Partial<CheckoutRequest> = {}): CheckoutRequest => ({
  userId: randomUUID(),
  productId: 'com.rendio.credits.10',
  displayName: '10 credits & “more” = 100 %',
  quantity: 2,
  priceCents: 299,
  currency: 'usd',
  successUrl: 'https://shop.example/?checkout=success',
  cancelUrl: 'https://shop.example/?checkout=cancelled',
  idempotencyKey: randomUUID(),
  ...more,
});

/** Opens a checkout; returns its id. */
async function checkout(request = requestOf()): Promise<string> {
  const made = await payments.createCheckout(request, signal());
  assert.equal(made.outcome, 'created', JSON.stringify(made));
  return String(controls.sessions().at(-1)?.id);
}
async function paid(request = requestOf()): Promise<string> {
  return (await controls.pay(await checkout(request))).id;
}
const percentageNow = async (payment: string): Promise<number> => {
  const found = await payments.fetchPayment(payment, signal());
  assert.equal(found.outcome, 'found', JSON.stringify(found));
  return found.outcome === 'found' ? found.payment.refundedPercentage : -1;
};

describe('a checkout', () => {
  it('is one payment of our price for this product, with its owner on the checkout and on the payment', async () => {
    const request = requestOf();
    const answer = await payments.createCheckout(request, signal());
    const session = controls.sessions().at(-1);
    assert.deepEqual(answer, { outcome: 'created', url: session?.url });
    const metadata = { user_id: request.userId, product_id: request.productId, quantity: '2' };
    assert.deepEqual(controls.calls().at(-1)?.input, {
      mode: 'payment',
      client_reference_id: request.userId,
      line_items: [
        {
          quantity: '2',
          price_data: { currency: 'usd', unit_amount: '299', product_data: { name: request.displayName } },
        },
      ],
      metadata,
      payment_intent_data: { metadata },
      success_url: request.successUrl,
      cancel_url: request.cancelUrl,
      'idempotency-key': request.idempotencyKey,
    });
  });

  it('is the same one for the same key, and none for the key of another request', async () => {
    const request = requestOf();
    const first = await payments.createCheckout(request, signal());
    const count = controls.sessions().length;
    assert.deepEqual(await payments.createCheckout(request, signal()), first);
    const other = await payments.createCheckout({ ...request, quantity: 3 }, signal());
    assert.deepEqual([other, controls.sessions().length], [{ outcome: 'key_reused' }, count]);
  });

  it('is opened once if the answer to the first try is lost', async () => {
    controls.plan({ on: 'create_session', apply: true, reply: 'cut' });
    const count = controls.sessions().length;
    assert.equal((await payments.createCheckout(requestOf(), signal())).outcome, 'created');
    assert.equal(controls.sessions().length, count + 1);
  });

  it('is declined with Stripe’s code where Stripe does not sell it, and the cause repeats nothing else', async () => {
    const small = await payments.createCheckout(requestOf({ priceCents: 1, quantity: 1 }), signal());
    assert.equal(small.outcome, 'declined');
    assert.match('cause' in small ? small.cause : '', /^answered 400 amount_too_small req_\w+$/);
    const badUrl = await payments.createCheckout(requestOf({ successUrl: 'no-url?secret' }), signal());
    assert.match('cause' in badUrl ? badUrl.cause : '', /^answered 400 StripeInvalidRequestError success_url req_\w+$/);
  });
});

/** Each answer of Stripe, and what it means; the library tries once more where that may help. */
const answers: [string, Parameters<typeof controls.plan>[0], object][] = [
  [
    'a refused key',
    { reply: { status: 401, text: '{"error":{"type":"invalid_request_error"}}' } },
    { outcome: 'refused' },
  ],
  [
    'a missing right',
    { reply: { status: 403, text: '{"error":{"type":"invalid_request_error"}}' } },
    { outcome: 'refused' },
  ],
  [
    'too many calls',
    { reply: { status: 429, text: '{"error":{"code":"rate_limit"}}', headers: { 'retry-after': '7' } } },
    { outcome: 'unreachable', retryAfterMs: 7000 },
  ],
  [
    'an error of Stripe',
    { times: 2, reply: { status: 500, text: '{"error":{"type":"api_error"}}' } },
    { outcome: 'unreachable' },
  ],
  [
    'a key in use',
    { times: 2, reply: { status: 409, text: '{"error":{"code":"idempotency_key_in_use"}}' } },
    { outcome: 'unreachable' },
  ],
  ['a page of a proxy', { reply: { status: 200, text: '<html>sk_secret</html>' } }, { outcome: 'unreachable' }],
  ['null', { reply: { status: 200, text: 'null' } }, { outcome: 'unreachable' }],
  ['an empty object', { reply: { status: 200, text: '{}' } }, { outcome: 'unreachable' }],
  ['a 400 without an error', { reply: { status: 400, text: '{}' } }, { outcome: 'unreachable' }],
  [
    'a script as the page',
    { reply: { status: 200, text: '{"url":"javascript:alert(1)"}' } },
    { outcome: 'unreachable' },
  ],
  [
    'a redirect',
    { times: 2, reply: { status: 302, headers: { location: 'https://evil.example' } } },
    { outcome: 'unreachable' },
  ],
  ['no answer', { times: 2, reply: 'cut' }, { outcome: 'unreachable', cause: 'UND_ERR_SOCKET' }],
];

describe('an answer to a checkout', () => {
  for (const [name, fault, expected] of answers) {
    it(`means what it says: ${name}`, async () => {
      controls.plan(fault);
      const answer = await payments.createCheckout(requestOf(), signal());
      assert.deepEqual({ ...answer, ...expected }, answer);
      assert.doesNotMatch(JSON.stringify(answer), /sk_|html|credits/);
    });
  }

  it('is not waited for longer than two tries, nor longer than the caller waits', async () => {
    controls.plan({ times: 2, hangMs: 60_000 });
    const hasty = create({ tryTimeoutMs: 50 });
    const answer = await hasty.createCheckout(requestOf(), signal());
    assert.deepEqual(answer, { outcome: 'unreachable', cause: 'ETIMEDOUT', retryAfterMs: null });
    controls.plan({ times: 2, hangMs: 60_000 });
    assert.equal((await payments.createCheckout(requestOf(), AbortSignal.abort())).outcome, 'unreachable');
  });

  it('comes from the configured URL, with its path', async () => {
    const seen: string[] = [];
    const proxied = create({
      baseUrl: 'http://proxy.example:8080/stripe/',
      fetch: async (input, init) => {
        seen.push(String(input));
        assert.equal(new Headers(init?.headers).get('authorization'), `Bearer ${secretKey}`);
        assert.equal(init?.redirect, 'error', 'a redirect would get our key');
        return overSimulator('https://api.stripe.com/v1/checkout/sessions', init);
      },
    });
    assert.equal((await proxied.createCheckout(requestOf(), signal())).outcome, 'created');
    assert.deepEqual(seen, ['http://proxy.example:8080/stripe/v1/checkout/sessions']);
  });
});

describe('a payment', () => {
  it('says whose it is, and what was paid', async () => {
    const request = requestOf();
    const payment = await paid(request);
    assert.deepEqual(await payments.fetchPayment(payment, signal()), {
      outcome: 'found',
      payment: {
        environment: 'test',
        purchase: {
          transactionId: payment,
          userId: request.userId,
          productId: request.productId,
          quantity: 2,
          priceMilliunits: 5980,
          currency: 'usd',
          paidAt: new Date('2026-11-23T10:00:00Z'),
        },
        refundedPercentage: 0,
      },
    });
  });

  it('counts refunds that stand, all of them together, and none that failed', async () => {
    const payment = await paid(requestOf({ priceCents: 1000, quantity: 3 }));
    const first = await controls.refund(payment, { amount: 1000 });
    assert.equal(await percentageNow(payment), 33_334);
    const second = await controls.refund(payment, { amount: 1000, isPending: true });
    assert.equal(await percentageNow(payment), 66_667);
    await controls.failRefund(second.id);
    assert.equal(await percentageNow(payment), 33_334);
    await controls.failRefund(first.id);
    assert.equal(await percentageNow(payment), 0);
    await controls.refund(payment);
    assert.equal(await percentageNow(payment), 100_000);
  });

  it('counts a dispute from its beginning until it is won, beside refunds, and never more than all', async () => {
    const payment = await paid(requestOf({ priceCents: 1000, quantity: 1 }));
    await controls.refund(payment, { amount: 250 });
    const dispute = await controls.dispute(payment, { amount: 500 });
    assert.equal(await percentageNow(payment), 75_000);
    const whole = await controls.dispute(payment);
    assert.equal(await percentageNow(payment), 100_000);
    await controls.closeDispute(whole.id, true);
    await controls.closeDispute(dispute.id, false);
    assert.equal(await percentageNow(payment), 75_000);
  });

  it('does not count an inquiry, which takes no money', async () => {
    const payment = await paid();
    const inquiry = await controls.dispute(payment, { isInquiry: true });
    assert.equal(await percentageNow(payment), 0);
    await controls.closeDispute(inquiry.id, false);
    assert.equal(await percentageNow(payment), 0);
  });

  it('has all its refunds counted, also beyond the first page', async () => {
    const payment = await paid(requestOf({ priceCents: 1000, quantity: 1 }));
    for (let count = 0; count < 150; count += 1) await controls.refund(payment, { amount: 1 });
    assert.equal(await percentageNow(payment), 15_000);
  });

  it('is not ours if it is unknown, not paid, or has none of our metadata', async () => {
    const of = async (id: string) => payments.fetchPayment(id, signal());
    assert.deepEqual(await of('pi_unknown'), { outcome: 'not_ours', cause: 'unknown' });
    const session = await checkout();
    const { id } = await controls.pay(session, { isDelayed: true });
    assert.deepEqual(await of(id), { outcome: 'not_ours', cause: 'not paid' });
    const foreign = new Stripe(secretKey, {
      httpClient: Stripe.createFetchHttpClient(overSimulator),
      telemetry: false,
    });
    const made = await foreign.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://other.example',
      line_items: [{ price_data: { currency: 'usd', unit_amount: 500, product_data: { name: 'a book' } } }],
    });
    const book = await controls.pay(made.id);
    assert.deepEqual(await of(book.id), { outcome: 'not_ours', cause: 'has none of our metadata' });
  });

  it('is unreachable, never zero, if one of the questions has no usable answer', async () => {
    const payment = await paid();
    for (const on of ['payment_intent', 'refunds', 'disputes']) {
      controls.plan({
        on,
        reply: { status: 200, text: '{"object":"list","data":[{"amount":"all"}],"has_more":false}' },
      });
      assert.equal((await payments.fetchPayment(payment, signal())).outcome, 'unreachable', on);
      controls.plan({ on, reply: { status: 403, text: '{"error":{"type":"invalid_request_error"}}' } });
      assert.equal((await payments.fetchPayment(payment, signal())).outcome, 'refused', on);
    }
  });
});

type Json = Record<string, unknown>;
const eventOf = (type: string, object: Json, more: Json = {}): Json => ({
  id: `evt_${randomUUID()}`,
  object: 'event',
  api_version: '2017-08-15',
  created: 1_795_000_000,
  livemode: false,
  type,
  data: { object },
  ...more,
});
const sessionOf = (more: Json = {}): Json => ({
  id: 'cs_test_1',
  mode: 'payment',
  payment_status: 'paid',
  payment_intent: 'pi_1',
  amount_total: 598,
  currency: 'usd',
  customer_details: { email: 'jenny@example.com' },
  metadata: { user_id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', product_id: 'p.10', quantity: '2' },
  ...more,
});
const verify = async (event: unknown, header?: string) => {
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  return payments.verifyWebhook(body, header ?? controls.events.sign(body));
};
async function eventIn(event: Json): Promise<PaymentNotification['event']> {
  const notification = await verify(event);
  assert.ok(notification !== null && notification !== 'unreadable');
  assert.deepEqual(payments.readNotification(notification.record), notification, 'the record says the same');
  assert.doesNotMatch(notification.record, /jenny/);
  return notification.event;
}

describe('a webhook', () => {
  it('is Stripe’s only with its signature over these bytes, made in the last five minutes', async () => {
    const body = JSON.stringify(eventOf('checkout.session.completed', sessionOf()), null, 2);
    const seconds = Math.floor(now.getTime() / 1000);
    const { sign } = controls.events;
    const good = sign(body);
    assert.equal(Object((await verify(body, good)) ?? {}).event.kind, 'paid');
    const [, digest = ''] = /v1=(\w+)/.exec(good) ?? [];
    const bad: [string, string, string | null][] = [
      ['none', body, null],
      ['empty', body, ''],
      ['of another secret', body, sign(body, { secret: 'whsec_other' })],
      ['over another body', body, sign(`${body} `)],
      ['of a body that was written anew', JSON.stringify(JSON.parse(body)), good],
      ['with a byte order mark', `\uFEFF${body}`, good],
      ['with a newer time', body, `t=${seconds + 1},v1=${digest}`],
      ['without a time', body, `v1=${digest}`],
      ['of the old scheme', body, `t=${seconds},v0=${digest}`],
      ['six minutes old', body, sign(body, { timestamp: seconds - 360 })],
      ['of an empty body', '', sign('')],
      ...['v1', 'v1=', `t=${seconds},v1`, `t=${seconds},v1=`, 't=,v1=0', 't=NaN,v1=é', ',,=,', '='].map(
        (header): [string, string, string] => [`malformed: ${header}`, body, header],
      ),
    ];
    for (const [name, text, header] of bad) assert.equal(await payments.verifyWebhook(text, header), null, name);
    // While a secret is rolled, Stripe signs with both.
    assert.ok(await verify(body, `${sign(body, { secret: 'whsec_old' })},v1=${digest}`));
    assert.ok(await verify(body, sign(body, { timestamp: seconds - 240 })));
  });

  it('is verified as the library’s own test header is', async () => {
    const body = JSON.stringify(eventOf('charge.refunded', { payment_intent: 'pi_1' }));
    const timestamp = Math.floor(now.getTime() / 1000);
    const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: webhookSecret, timestamp });
    assert.equal(header, controls.events.sign(body));
    assert.ok(await verify(body, header));
  });

  it('that is signed and no event in the full form is unreadable', async () => {
    const thin = { id: 'evt_1', object: 'v2.core.event', type: 'v1.charge.refunded', created: '2026-11-23T10:00:00Z' };
    const broken = [thin, 'no json', '[]', 'null', {}, eventOf('', {}), eventOf('x', {}, { created: '1' })];
    for (const event of broken) assert.equal(await verify(event), 'unreadable', JSON.stringify(event));
  });

  it('of a paid checkout of ours is a purchase, by its payment', async () => {
    const purchase = {
      kind: 'paid',
      transactionId: 'pi_1',
      userId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
      productId: 'p.10',
      quantity: 2,
      priceMilliunits: 5980,
      currency: 'usd',
      paidAt: new Date(1_795_000_000_000),
    };
    for (const type of ['checkout.session.completed', 'checkout.session.async_payment_succeeded'])
      assert.deepEqual(await eventIn(eventOf(type, sessionOf())), purchase);
    // An endpoint may have its objects expanded, and prices may be missing in other versions.
    const expanded = sessionOf({ payment_intent: { id: 'pi_1', object: 'payment_intent' } });
    assert.deepEqual(await eventIn(eventOf('checkout.session.completed', expanded)), purchase);
    const priceless = sessionOf({ amount_total: null, currency: undefined });
    const without = { ...purchase, priceMilliunits: null, currency: null };
    assert.deepEqual(await eventIn(eventOf('checkout.session.completed', priceless)), without);
    const yen = sessionOf({ amount_total: 500, currency: 'jpy' });
    const inYen = { ...purchase, priceMilliunits: 500_000, currency: 'jpy' };
    assert.deepEqual(await eventIn(eventOf('checkout.session.completed', yen)), inYen);
  });

  it('of anything else that was paid, or of what is not paid, gives nothing', async () => {
    const { metadata } = sessionOf() as { metadata: Json };
    const sessions: Json[] = [
      { payment_status: 'unpaid' },
      { payment_status: 'no_payment_required' },
      { mode: 'subscription' },
      { payment_intent: null },
      { payment_intent: '' },
      { metadata: {} },
      { metadata: null },
      { metadata: undefined },
      { metadata: { ...metadata, user_id: 'nobody' } },
      { metadata: { ...metadata, product_id: '' } },
      ...['0', '-1', '1.5', '1e2', '101', '', ' 1', 'NaN'].map((quantity) => ({ metadata: { ...metadata, quantity } })),
      { metadata: { ...metadata, quantity: 1 } },
    ];
    for (const more of sessions) {
      const event = eventOf('checkout.session.completed', sessionOf(more));
      assert.deepEqual(await eventIn(event), { kind: 'none' }, JSON.stringify(more));
    }
    for (const type of [
      'checkout.session.expired',
      'checkout.session.async_payment_failed',
      'payment_intent.succeeded',
    ])
      assert.deepEqual(await eventIn(eventOf(type, sessionOf())), { kind: 'none' }, type);
  });

  it('of the other mode, or of another account, gives nothing', async () => {
    const live = eventOf('checkout.session.completed', sessionOf(), { livemode: true });
    assert.deepEqual(await eventIn(live), { kind: 'none' });
    const connected = eventOf('checkout.session.completed', sessionOf(), { account: 'acct_1' });
    assert.deepEqual(await eventIn(connected), { kind: 'none' });
    const liveKey = create({ secretKey: 'rk_live_1234' });
    const body = JSON.stringify(live);
    const seen = await liveKey.verifyWebhook(body, controls.events.sign(body));
    assert.equal(Object(seen).environment, 'live');
    assert.equal(Object(seen).event.kind, 'paid');
  });

  it('of a refund or a dispute only says which payment has changed', async () => {
    const types = [
      ...['charge.refunded', 'charge.refund.updated', 'refund.created', 'refund.updated', 'refund.failed'],
      ...['created', 'updated', 'closed', 'funds_withdrawn', 'funds_reinstated'].map(
        (word) => `charge.dispute.${word}`,
      ),
    ];
    const changed = { kind: 'changed', transactionId: 'pi_1' };
    for (const type of types) {
      assert.deepEqual(await eventIn(eventOf(type, { payment_intent: 'pi_1', amount: 'x' })), changed, type);
      assert.deepEqual(await eventIn(eventOf(type, { payment_intent: { id: 'pi_1' } })), changed, type);
      assert.deepEqual(await eventIn(eventOf(type, { payment_intent: null })), { kind: 'none' }, type);
      assert.deepEqual(await eventIn(eventOf(type, {})), { kind: 'none' }, type);
    }
  });
});

test('amounts follow Stripe’s own list of currencies', () => {
  assert.deepEqual(
    ['usd', 'eur', 'isk', 'ugx', 'huf', 'twd', 'jpy', 'krw', 'clp', 'xof', 'kwd', 'tnd'].map((currency) => [
      currency,
      milliunitsOf(500, currency),
    ]),
    [
      ...['usd', 'eur', 'isk', 'ugx', 'huf', 'twd'].map((currency) => [currency, 5_000]),
      ...['jpy', 'krw', 'clp', 'xof'].map((currency) => [currency, 500_000]),
      ...['kwd', 'tnd'].map((currency) => [currency, 500]),
    ],
  );
});

test('a share is never below the exact one, nor above all', () => {
  assert.deepEqual(
    [
      [0, 299],
      [1, 3],
      [2, 3],
      [299, 299],
      [300, 299],
      [99_999_998, 99_999_999],
    ].map(([part = 0, whole = 0]) => percentageOf(part, whole)),
    [0, 33_334, 66_667, 100_000, 100_000, 100_000],
  );
});
