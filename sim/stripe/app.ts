/** Stripe's API over HTTP: checkouts, payments, refunds and disputes. */
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { invalid, StripeFault } from './errors.ts';
import { parseForm } from './form.ts';
import type { Happenings } from './happenings.ts';
import { createIdempotency, type Reply } from './idempotency.ts';
import { disputeJson, paymentJson, refundJson, type StripeObject, sessionJson } from './objects.ts';
import { listParams, priceOf, refundParams, sessionParams } from './params.ts';
import type { Store } from './store.ts';

export type StripeOperation = 'create_session' | 'session' | 'payment_intent' | 'refund' | 'refunds' | 'disputes';
/** `input`: the parameters, and the headers that matter. */
export type StripeCall = Call<StripeOperation>;

export type StripeParts = {
  store: Store;
  happenings: Happenings;
  calls: CallLog<StripeOperation>;
  secretKey: string;
  log: Log;
};

type StripeContext = Context<SimulatorEnv>;

const VERSION = /^\d{4}-\d{2}-\d{2}(?:\.[a-z]+)?$/;

export function stripeApp(parts: StripeParts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const { store, happenings, calls, log } = parts;
  const once = createIdempotency();

  const get = (operation: StripeOperation, read: (c: StripeContext) => object) => (c: StripeContext) =>
    calls.answer(operation, c, () => guarded(parts, c, async () => reply(c, { status: 200, body: read(c) })), {
      ...c.req.query(),
    });
  const post = (operation: StripeOperation, write: (c: StripeContext, form: object) => Promise<object>) =>
    async function handle(c: StripeContext): Promise<Response> {
      const body = await c.req.text();
      const key = c.req.header('idempotency-key') ?? null;
      const form = parseForm(body);
      const run = async () => {
        if (!form || !/^application\/x-www-form-urlencoded\b/.test(c.req.header('content-type') ?? ''))
          throw new StripeFault(400, 'Invalid request: the body must be a form.');
        const made = await once(key, { path: c.req.path, body }, async (): Promise<Reply> => {
          return { status: 200, body: await write(c, form) };
        });
        if (made.isReplayed) c.header('idempotent-replayed', 'true');
        return reply(c, made);
      };
      return calls.answer(operation, c, () => guarded(parts, c, run), { ...form, 'idempotency-key': key });
    };

  app.post(
    '/v1/checkout/sessions',
    post('create_session', async (c, form) => {
      const params = checked(sessionParams, form);
      const id = store.newId(store.isLive ? 'cs_live' : 'cs_test');
      const session = {
        id,
        url: `${new URL(c.req.url).origin}/c/pay/${id}`,
        params,
        ...priceOf(params),
        status: 'open' as const,
        isPaid: false,
        created: store.now(),
        payment: null,
      };
      store.addSession(session);
      return sessionJson(session, store);
    }),
  );
  app.get(
    '/v1/checkout/sessions/:id',
    get('session', (c) => sessionJson(store.session(c.req.param('id') ?? ''), store)),
  );
  app.get(
    '/v1/payment_intents/:id',
    get('payment_intent', (c) => paymentJson(store.payment(c.req.param('id') ?? ''), store)),
  );
  app.post(
    '/v1/refunds',
    post('refund', async (_, form) => {
      const { payment_intent: id, amount } = checked(refundParams, form);
      const { refund, payment } = await happenings.refund(id, amount === undefined ? {} : { amount });
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
  app.all('/v1/*', (c) =>
    reply(c, {
      status: 404,
      body: new StripeFault(404, `Unrecognized request URL (${c.req.method}: ${c.req.path}).`).body,
    }),
  );
  app.onError((error, c) => {
    log.error({ cause: error.message }, 'the simulator of Stripe failed');
    return reply(c, {
      status: 500,
      body: new StripeFault(500, 'An unknown error occurred', { type: 'api_error' }).body,
    });
  });
  return app;
}

/** Checks who calls, and turns faults into answers. */
async function guarded({ secretKey }: StripeParts, c: StripeContext, run: () => Promise<Response>): Promise<Response> {
  try {
    if (c.req.header('authorization') !== `Bearer ${secretKey}`)
      throw new StripeFault(401, 'Invalid API Key provided', { code: 'api_key_invalid' });
    const version = c.req.header('stripe-version');
    if (version !== undefined && !VERSION.test(version))
      throw new StripeFault(400, `Invalid Stripe API version: ${version}`);
    return await run();
  } catch (error) {
    if (!(error instanceof StripeFault)) throw error;
    return reply(c, { status: error.status, body: error.body });
  }
}

function reply(c: StripeContext, { status, body }: Reply): Response {
  c.header('request-id', `req_${crypto.randomUUID().replaceAll('-', '')}`);
  const version = c.req.header('stripe-version');
  if (version !== undefined) c.header('stripe-version', version);
  c.header('content-type', 'application/json');
  // Any status of Stripe's.
  return c.body(JSON.stringify(body, null, 2), status as 200);
}

function checked<T>(schema: z.ZodType<T>, form: object): T {
  const read = schema.safeParse(form, { reportInput: true });
  if (!read.success) throw invalid(read.error);
  return read.data;
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
