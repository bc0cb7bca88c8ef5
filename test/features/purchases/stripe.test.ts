/** Purchases in the web shop, from the payment to its last dispute: what is credited and taken back, in any order of events. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, describe, it } from 'node:test';
import type { Context } from '../../../src/features/context.ts';
import { applyPaymentEvent } from '../../../src/features/purchases/apply-payment-event.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { newSub, type Person } from '../../support/people.ts';
import { createShop } from '../../support/stripe.ts';

const shop = await createShop();
const { people, stripe } = shop;
const { app } = people;
const { controls } = stripe;
after(() => shop[Symbol.asyncDispose]());
afterEach(async () => {
  controls.clearFaults();
  await people.assertUnbroken();
});

const idsOf = ({ events }: { events: { id: string }[] }) => events.map(({ id }) => id);
const balance = (person: Person) => app.balance(person.id);
const reasons = async (person: Person) =>
  (await people.ledger(person.id)).map(({ reason, change }) => `${reason} ${change}`);
/** What is left after the ledger's first row, by which the test gave credits. */
const bought = async (person: Person) => (await reasons(person)).slice(1);
const totalOf = async (person: Person) =>
  (await people.rows('select credits_total as n from users where id = $1', [person.id]))[0]?.n;

/** A paid and credited purchase of ten credits by somebody who has three. */
async function purchase({ quantity = 1 } = {}) {
  const person = await people.guest(3);
  const payment = await shop.buy(person, { quantity });
  await shop.deliverAll();
  assert.equal(await balance(person), 3 + 10 * quantity);
  return { person, payment };
}

describe('a payment', () => {
  it('gives the product’s credits once, times the quantity, with what was paid', async () => {
    const { person, payment } = await purchase({ quantity: 4 });
    assert.deepEqual(await bought(person), ['iap_purchase 40']);
    assert.equal(await totalOf(person), 43);
    const [row] = await people.rows('select * from purchases where transaction_id = $1', [payment]);
    const { store, environment, user_id, product_id, quantity, credits, price_milliunits, currency } = row ?? {};
    assert.deepEqual(
      [store, environment, user_id, product_id, quantity, credits, Number(price_milliunits), currency],
      ['stripe', 'test', person.id, 'com.rendio.credits.10', 4, 40, 11_960, 'usd'],
    );
    assert.deepEqual(await shop.outcomesOf(payment), ['credited']);
  });

  it('gives them once, however often and however parallel its event comes and is processed', async () => {
    const person = await people.guest(3);
    const session = await shop.open(person);
    const paid = await controls.pay(session);
    const id = idsOf(paid).at(-1) ?? '';
    const statuses = await Promise.all(Array.from({ length: 6 }, () => controls.events.deliver(id)));
    assert.deepEqual(statuses, Array(6).fill(200));
    const recorded = await people.rows('select 1 from store_notifications where notification_id = $1', [id]);
    assert.equal(recorded.length, 1);
    await Promise.all(Array.from({ length: 6 }, () => shop.work()));
    // Another endpoint of the same server would bring the same payment as another event.
    const event = JSON.parse(controls.events.list().find((each) => each.id === id)?.body ?? '');
    const body = JSON.stringify({ ...event, id: `evt_${randomUUID()}` });
    assert.equal((await shop.post(body, { 'Stripe-Signature': controls.events.sign(body) })).status, 200);
    await shop.work();
    assert.deepEqual(await bought(person), ['iap_purchase 10']);
    assert.equal((await shop.outcomesOf(paid.id)).length, 2);
  });

  it('by a bank transfer gives nothing before the money has arrived, and nothing if it never does', async () => {
    const person = await people.guest(3);
    for (const hasArrived of [false, true]) {
      const session = await shop.open(person);
      await controls.pay(session, { isDelayed: true });
      await shop.deliverAll();
      assert.equal(await balance(person), 3);
      await controls.settle(session, hasArrived);
      await shop.deliverAll();
      assert.equal(await balance(person), hasArrived ? 13 : 3);
    }
  });

  it('that is declined, or a page that nobody pays at, gives nothing', async () => {
    const person = await people.guest(3);
    const session = await shop.open(person);
    await controls.decline(session);
    await controls.expire(session);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), []);
  });

  it('is recorded together with the task that processes it, so that no crash in between loses it', async () => {
    const person = await people.guest(3);
    const { events } = await controls.pay(await shop.open(person));
    const id = events.at(-1)?.id ?? '';
    assert.equal(await controls.events.deliver(id), 200);
    const tasks = await people.rows(
      `select t.identifier, j.payload, j.max_attempts from graphile_worker._private_jobs j
       join graphile_worker._private_tasks t on t.id = j.task_id where j.payload ->> 'notification_id' = $1`,
      [id],
    );
    const payload = { store: 'stripe', notification_id: id };
    assert.deepEqual(tasks, [{ identifier: 'process_store_notification', payload, max_attempts: 1000 }]);
    assert.deepEqual(await app.drain(), []);
    assert.equal(await balance(person), 13);
  });

  it('is recorded without anything about the customer', async () => {
    await purchase();
    const rows = await people.rows(`select payload from store_notifications where payload ~* 'jenny|rosen|@'`);
    assert.deepEqual(rows, []);
  });
});

describe('a refund', () => {
  it('of all takes all back, and leaves the lifetime total', async () => {
    const { person, payment } = await purchase();
    await controls.refund(payment);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), ['iap_purchase 10', 'store_refund -10']);
    assert.deepEqual([await balance(person), await totalOf(person)], [3, 13]);
  });

  it('of a part takes its share, rounded down, and each further part the rest of theirs', async () => {
    const { person, payment } = await purchase({ quantity: 3 });
    for (const [amount, left] of [
      [299, 23],
      [10, 23],
      [289, 13],
      [299, 3],
    ] as const) {
      await controls.refund(payment, { amount });
      await shop.deliverAll();
      assert.equal(await balance(person), left);
    }
  });

  it('that fails gives back what it took, and nothing of another one', async () => {
    const { person, payment } = await purchase({ quantity: 2 });
    await controls.refund(payment, { amount: 299 });
    const second = await controls.refund(payment, { amount: 299 });
    await shop.deliverAll();
    assert.equal(await balance(person), 3);
    await controls.failRefund(second.id);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), ['iap_purchase 20', 'store_refund -20', 'store_refund_reversed 10']);
  });

  it('of spent credits leaves a debt, which the next purchase repays', async () => {
    const { person, payment } = await purchase();
    for (let count = 0; count < 13; count += 1) assert.equal((await people.generate(person.token)).status, 200);
    assert.equal(await balance(person), 0);
    await controls.refund(payment);
    await shop.deliverAll();
    assert.equal(await balance(person), -10);
    assert.equal((await people.generate(person.token)).status, 402);
    await shop.buy(person);
    await shop.deliverAll();
    assert.equal(await balance(person), 0);
  });

  it('is taken back while Stripe is away as soon as it is there again, and nothing moves before', async () => {
    const { person, payment } = await purchase();
    await controls.refund(payment);
    const failing = [
      { on: 'refunds', reply: { status: 401, text: '{"error":{"type":"invalid_request_error"}}' } },
      { on: 'payment_intent', times: 2, reply: 'cut' as const },
      { on: 'disputes', reply: { status: 200, text: '<html>' } },
    ];
    for (const fault of failing) {
      controls.plan(fault);
      await assert.rejects(
        () => shop.deliverAll().then(() => shop.work()),
        (error) => error instanceof Problem && error.code === 'ERR_5006',
      );
      assert.equal(await balance(person), 13);
    }
    await shop.work();
    await shop.deliverAll();
    assert.equal(await balance(person), 3);
  });
});

describe('a dispute', () => {
  it('takes the credits when it begins; lost, they stay away', async () => {
    const { person, payment } = await purchase();
    const dispute = await controls.dispute(payment);
    await shop.deliverAll();
    assert.equal(await balance(person), 3);
    await controls.closeDispute(dispute.id, false);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), ['iap_purchase 10', 'store_refund -10']);
  });

  it('that is won gives them back, but not what was refunded beside it', async () => {
    const { person, payment } = await purchase({ quantity: 2 });
    await controls.refund(payment, { amount: 299 });
    const dispute = await controls.dispute(payment, { amount: 299 });
    await shop.deliverAll();
    assert.equal(await balance(person), 3);
    await controls.closeDispute(dispute.id, true);
    await shop.deliverAll();
    assert.equal(await balance(person), 13);
  });

  it('that is only asked about takes nothing', async () => {
    const { person, payment } = await purchase();
    const inquiry = await controls.dispute(payment, { isInquiry: true });
    await controls.closeDispute(inquiry.id, true);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), ['iap_purchase 10']);
  });
});

/** Every order of a list. */
function orders<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    orders(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}

describe('the order of events', () => {
  it('does not matter: payment, refund, dispute and its end come in every order', async () => {
    const made = [];
    for (const order of orders([0, 1, 2, 3])) {
      const person = await people.guest(3);
      const paid = await controls.pay(await shop.open(person, { quantity: 2 }));
      const refund = await controls.refund(paid.id, { amount: 299 });
      const dispute = await controls.dispute(paid.id, { amount: 299 });
      const closed = await controls.closeDispute(dispute.id, true);
      const parts = [paid, refund, dispute, closed];
      made.push({ person, ids: order.flatMap((index) => idsOf(parts[index] ?? { events: [] })) });
    }
    for (const { person, ids } of made) {
      await shop.deliver(...ids);
      assert.equal(await balance(person), 13);
    }
  });

  it('does not matter while things happen: a refund that comes first is taken from what is credited later', async () => {
    const person = await people.guest(3);
    const paid = await controls.pay(await shop.open(person, { quantity: 2 }));
    const refund = await controls.refund(paid.id, { amount: 299 });
    await shop.deliver(...idsOf(refund));
    assert.equal(await balance(person), 13);
    await controls.failRefund(refund.id);
    await shop.deliver(...idsOf(paid));
    assert.equal(await balance(person), 13);
    await shop.deliverAll();
    assert.equal(await balance(person), 23);
  });

  it('does not matter for the answers of Stripe: one that was asked for earlier changes nothing later', async () => {
    const { person, payment } = await purchase();
    const event = { kind: 'changed' as const, transactionId: payment };
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const { payments } = app.ctx;
    assert.ok(payments);
    const slow: Context = {
      ...app.ctx,
      payments: {
        ...payments,
        async fetchPayment(id, signal) {
          const answer = await payments.fetchPayment(id, signal);
          asked.resolve();
          await released.promise;
          return answer;
        },
      },
    };
    const earlier = applyPaymentEvent(slow, { environment: 'test', event });
    await asked.promise;
    await controls.refund(payment);
    await shop.deliverAll();
    assert.equal(await balance(person), 3);
    released.resolve();
    assert.equal(await earlier, 'outdated');
    assert.equal(await balance(person), 3);
  });

  it('does not matter for several servers that process everything at once', async () => {
    const { person, payment } = await purchase({ quantity: 2 });
    const refund = await controls.refund(payment);
    await controls.failRefund(refund.id);
    await controls.refund(payment, { amount: 299 });
    const unsent = controls.events.list().filter(({ body }) => body.includes(payment));
    await Promise.all(unsent.map(({ id }) => controls.events.deliver(id)));
    await Promise.all(Array.from({ length: 4 }, () => shop.work()));
    assert.equal(await balance(person), 13);
  });
});

describe('an account', () => {
  it('that was merged before the payment, or before the refund, passes both on to its survivor', async () => {
    const sub = newSub();
    const survivor = await people.appleUser(sub, 5);
    const guest = await people.guest(3);
    const first = await shop.buy(guest);
    await shop.deliverAll();
    const session = await shop.open(guest);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    const second = await controls.pay(session);
    await shop.deliverAll();
    assert.equal(await balance(survivor), 5 + 3 + 10 + 10);
    await controls.refund(first);
    await controls.refund(second.id);
    await shop.deliverAll();
    assert.equal(await balance(survivor), 5 + 3);
  });

  it('that was deleted gets nothing more, and a refund is still taken back from its rows', async () => {
    const { person, payment } = await purchase();
    const session = await shop.open(person);
    assert.equal((await people.call(person.token, 'delete-account', {})).status, 200);
    const late = await controls.pay(session);
    await controls.refund(payment);
    await controls.refund(late.id);
    await shop.deliverAll();
    assert.deepEqual(await bought(person), ['iap_purchase 10', 'store_refund -10']);
    assert.deepEqual(await shop.outcomesOf(late.id), ['foreign', 'not_credited', 'not_credited']);
  });

  it('cannot take over a payment of another one', async () => {
    const { payment } = await purchase();
    const thief = await people.guest(3);
    const event = {
      kind: 'paid' as const,
      transactionId: payment,
      userId: thief.id,
      productId: 'com.rendio.credits.100',
      quantity: 1,
      priceMilliunits: null,
      currency: null,
      paidAt: new Date(),
    };
    assert.equal(await applyPaymentEvent(app.ctx, { environment: 'test', event }), 'foreign');
    assert.deepEqual(await bought(thief), []);
  });
});

describe('a webhook', () => {
  const everything = () =>
    people.rows(
      `select (select count(*) from store_notifications) as notifications, (select count(*) from quota_log) as ledger,
         (select count(*) from purchases) as purchases, (select count(*) from graphile_worker._private_jobs) as jobs`,
    );

  it('that Stripe has not signed is 401 and has no effect', async () => {
    const person = await people.guest(3);
    const { events } = await controls.pay(await shop.open(person));
    const body = events.at(-1)?.body ?? '';
    const before = await everything();
    const { sign } = controls.events;
    const refused: [string, string, string | undefined][] = [
      ['no signature', body, undefined],
      ['another secret', body, sign(body, { secret: 'whsec_0000' })],
      ['an old signature', body, sign(body, { timestamp: Math.floor(Date.now() / 1000) - 301 })],
      ['another amount', body.replace('"amount_total": 299', '"amount_total": 1'), sign(body)],
      ['JSON that was written anew', JSON.stringify(JSON.parse(body)), sign(body)],
      ['an empty body', '', sign('')],
      ['no text', '\u0000', sign('x')],
    ];
    for (const [name, text, signature] of refused) {
      const answer = await shop.post(text, signature === undefined ? {} : { 'Stripe-Signature': signature });
      assert.deepEqual(answer, { status: 401, code: 'ERR_4005' }, name);
    }
    assert.deepEqual(await everything(), before);
  });

  it('that is signed and no event is 400; one that is too large is 413', async () => {
    const signed = (body: string) => shop.post(body, { 'Stripe-Signature': controls.events.sign(body) });
    for (const body of ['{}', 'no json', '{"object":"v2.core.event","id":"evt_1","type":"v1.charge.refunded"}'])
      assert.deepEqual(await signed(body), { status: 400, code: 'ERR_4006' });
    assert.deepEqual(await signed(`"${'x'.repeat(200_000)}"`), { status: 413, code: 'ERR_4014' });
  });

  it('about anything else is recorded without effect: the other mode, other types, other products of the shop’s owner', async () => {
    const person = await people.guest(3);
    const { events } = await controls.pay(await shop.open(person));
    const event = JSON.parse(events.at(-1)?.body ?? '');
    const others = [
      { ...event, livemode: true },
      { ...event, type: 'checkout.session.expired' },
      { ...event, account: 'acct_1' },
      { ...event, data: { object: { ...event.data.object, metadata: {} } } },
      { ...event, type: 'invoice.paid', data: { object: { object: 'invoice', customer_email: 'a@example.com' } } },
    ];
    for (const other of others) {
      const body = JSON.stringify({ ...other, id: `evt_${randomUUID()}` });
      assert.equal((await shop.post(body, { 'Stripe-Signature': controls.events.sign(body) })).status, 200);
      const [row] = await people.rows('select outcome, payload from store_notifications order by seq desc limit 1');
      assert.equal(row?.outcome, 'ignored');
      assert.doesNotMatch(String(row?.payload), /example/);
    }
    assert.deepEqual(await shop.work(), []);
    assert.deepEqual(await bought(person), []);
  });

  it('about a refund of something else that the owner sells changes nothing here', async () => {
    const event = { kind: 'changed' as const, transactionId: 'pi_of_a_book' };
    assert.equal(await applyPaymentEvent(app.ctx, { environment: 'test', event }), 'not_ours');
    assert.deepEqual(await people.rows(`select 1 from purchases where transaction_id = 'pi_of_a_book'`), []);
  });

  it('about a product that is gone says so, and credits it once the product is there again', async () => {
    const person = await people.guest(3);
    const session = await shop.open(person);
    await app.owner.query(
      `update products set product_id = product_id || '.gone' where product_id = 'com.rendio.credits.10'`,
    );
    const paid = await controls.pay(session);
    await shop.deliverAll();
    assert.deepEqual(await shop.outcomesOf(paid.id), ['unknown_product']);
    await app.owner.query(`update products set product_id = 'com.rendio.credits.10' where product_id like '%.gone'`);
    const id = idsOf(paid).at(-1) ?? '';
    assert.equal(await app.ctx.db.call('replay_store_notification', { store: 'stripe', notification_id: id }), true);
    await shop.work();
    assert.equal(await balance(person), 13);
  });
});
