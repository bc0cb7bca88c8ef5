/** Stripe's API over HTTP: checkouts, payments, refunds and disputes. */
import { Hono } from 'hono';
import type { SimulatorEnv } from '../drop-connection.ts';
import { StripeFault } from './errors.ts';
import { checked, createHandlers, reply, type StripeContext } from './handlers.ts';
import { disputeJson, paymentJson, refundJson, type StripeObject, sessionJson } from './objects.ts';
import { listParams, priceOf, refundParams, type SessionParams, sessionParams } from './params.ts';
import type { StripeParts } from './parts.ts';
import type { Session, Store } from './store.ts';

export function stripeApp(parts: StripeParts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const { store, banks, log } = parts;
  const { get, post } = createHandlers(parts);
  const idOf = (c: StripeContext) => c.req.param('id') ?? '';

  app.post(
    '/v1/checkout/sessions',
    post('create_session', async (c, form) => {
      const session = newSession(store, checked(sessionParams, form), new URL(c.req.url).origin);
      store.addSession(session);
      return sessionJson(session, store);
    }),
  );
  app.get(
    '/v1/checkout/sessions/:id',
    get('session', (c) => sessionJson(store.session(idOf(c)), store)),
  );
  app.get(
    '/v1/payment_intents/:id',
    get('payment_intent', (c) => paymentJson(store.payment(idOf(c)), store)),
  );
  app.post(
    '/v1/refunds',
    post('refund', async (_, form) => {
      const { payment_intent: id, amount } = checked(refundParams, form);
      const { refund, payment } = await banks.refund(id, amount === undefined ? {} : { amount });
      return refundJson(refund, payment);
    }),
  );
  app.get(
    '/v1/refunds',
    get('refunds', (c) => listOf(c, (id) => refundsOf(store, id))),
  );
  app.get(
    '/v1/disputes',
    get('disputes', (c) => listOf(c, (id) => disputesOf(store, id))),
  );
  app.all('/v1/*', (c) => {
    const { body } = new StripeFault(404, `Unrecognized request URL (${c.req.method}: ${c.req.path}).`);
    return reply(c, { status: 404, body });
  });
  app.onError((error, c) => {
    log.error({ cause: error.message }, 'the simulator of Stripe failed');
    const { body } = new StripeFault(500, 'An unknown error occurred', { type: 'api_error' });
    return reply(c, { status: 500, body });
  });
  return app;
}

function newSession(store: Store, params: SessionParams, origin: string): Session {
  const id = store.newId(store.isLive ? 'cs_live' : 'cs_test');
  const url = `${origin}/c/pay/${id}`;
  return { id, url, params, ...priceOf(params), status: 'open', isPaid: false, created: store.now(), payment: null };
}

/** Newest first, page by page. */
function listOf(c: StripeContext, find: (paymentId: string) => StripeObject[]): object {
  const { payment_intent: id, limit, starting_after: after } = checked(listParams, c.req.query());
  const all = find(id).reverse();
  const start = after === undefined ? 0 : all.findIndex((each) => each.id === after) + 1;
  const data = all.slice(start, start + limit);
  return { object: 'list', url: c.req.path, has_more: start + limit < all.length, data };
}

function refundsOf(store: Store, id: string): StripeObject[] {
  const payment = store.payment(id);
  return payment.refunds.map((refund) => refundJson(refund, payment));
}

function disputesOf(store: Store, id: string): StripeObject[] {
  const payment = store.payment(id);
  return payment.disputes.map((dispute) => disputeJson(dispute, payment, store));
}
