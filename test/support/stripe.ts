/** A test application with a web shop at the simulated Stripe. */
import assert from 'node:assert/strict';
import { inProcessFetch } from '../../sim/in-process-fetch.ts';
import { createStripeSimulator, type StripeSimulator } from '../../sim/stripe.ts';
import type { Context } from '../../src/features/context.ts';
import { processPaymentNotification } from '../../src/features/purchases/worker/process-payment.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createStripePayments } from '../../src/payments/stripe/index.ts';
import type { TestAppOptions } from './app.ts';
import { type Answer, createPeople, type People, type Person } from './people.ts';

export const WEBHOOK_PATH = '/functions/v1/stripe-webhook';
/** Ten credits for 2.99. */
export const PRODUCT = 'com.rendio.credits.10';

export type Shop = AsyncDisposable & {
  people: People;
  stripe: StripeSimulator;
  /** Sends a body to the webhook's route as Stripe would. */
  post(body: string, headers?: Record<string, string>): Promise<{ status: number; code: string | null }>;
  checkout(person: Person, body?: object, headers?: Record<string, string>): Promise<Answer>;
  /** Opens a checkout; returns its id at Stripe. */
  open(person: Person, body?: object): Promise<string>;
  /** Buys, without the events being sent; returns the payment's id. */
  buy(person: Person, body?: object): Promise<string>;
  /** Sends these events in this order, and processes each at once. */
  deliver(...ids: string[]): Promise<void>;
  /** Sends every event that was not sent before, in order, and processes it. */
  deliverAll(): Promise<void>;
  /** Processes what is recorded and waits; returns the outcomes. Throws what processing throws. */
  work(ctx?: Context): Promise<string[]>;
  outcomesOf(payment: string): Promise<(string | null)[]>;
};

/** Events are sent by hand, so that each test decides on their order. */
export async function createShop(options: TestAppOptions = {}): Promise<Shop> {
  let people: People | undefined;
  const stripe = createStripeSimulator({
    clock: systemClock,
    log: silentLog,
    deliver: async (input, init) => (await people?.app.fetch(String(input), init)) ?? Response.error(),
  });
  const { controls } = stripe;
  controls.events.setAutomatic(false);
  controls.setWebhookUrl(`http://rendio.test${WEBHOOK_PATH}`);
  const payments = createStripePayments({
    ...stripe.credentials,
    fetch: inProcessFetch(new Map(stripe.hosts.map((host) => [host, stripe.app]))),
    clock: systemClock,
  });
  const made = await createPeople({ ...options, overrides: { payments, ...options.overrides } });
  people = made;
  const { app } = made;
  const sent = new Set<string>();

  const shop: Shop = {
    people: made,
    stripe,
    ...bookkeepingOf(made),
    async post(body, headers = {}) {
      const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body };
      const response = await app.fetch(WEBHOOK_PATH, init);
      return { status: response.status, code: JSON.parse(await response.text()).error?.code ?? null };
    },
    checkout: (person, body = {}, headers = {}) =>
      made.call(person.token, 'create-checkout', { product_id: PRODUCT, ...body }, headers),
    async open(person, body = {}) {
      const answer = await shop.checkout(person, body);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const session = controls.sessions().find(({ url }) => url === answer.body.url);
      assert.ok(session);
      return session.id;
    },
    buy: async (person, body = {}) => (await controls.pay(await shop.open(person, body))).id,
    async deliver(...ids) {
      for (const id of ids) {
        sent.add(id);
        assert.equal(await controls.events.deliver(id), 200);
        await shop.work();
      }
    },
    async deliverAll() {
      const unsent = controls.events.list().filter(({ id }) => !sent.has(id));
      await shop.deliver(...unsent.map(({ id }) => id));
    },
    async [Symbol.asyncDispose]() {
      await stripe.close();
      await made[Symbol.asyncDispose]();
    },
  };
  return shop;
}

/** The worker's part, and what has followed. */
function bookkeepingOf({ app, rows }: People): Pick<Shop, 'work' | 'outcomesOf'> {
  return {
    async work(ctx = app.ctx) {
      const waiting = await rows(
        `select notification_id from store_notifications where store = 'stripe' and processed_at is null order by seq`,
      );
      for (const { notification_id: id } of waiting) await processPaymentNotification(ctx, String(id));
      const ids = waiting.map(({ notification_id: id }) => id);
      const done = await rows('select outcome from store_notifications where notification_id = any ($1) order by seq', [
        ids,
      ]);
      return done.map(({ outcome }) => String(outcome));
    },
    async outcomesOf(payment) {
      const sql = 'select outcome from store_notifications where transaction_id = $1 order by seq';
      return (await rows(sql, [payment])).map(({ outcome }) => outcome as string | null);
    },
  };
}
