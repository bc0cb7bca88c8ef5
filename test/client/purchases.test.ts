/** Products, App Store purchases, codes and checkouts: credited once, and the app knows when it may finish a transaction. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  ConnectionError,
  createClient,
  type JobEvent,
  memoryStorage,
  PurchaseError,
  type RendioClient,
  RendioError,
  SignedOutError,
} from '../../client/src/index.ts';
import { call } from '../acceptance/support/api.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createShop } from '../support/stripe.ts';
import { newClient, type Seen, until } from './support.ts';

const PRODUCT = 'com.rendio.credits.50';
type Bought = { transaction_id: string; signed_transaction: string };
type Fetch = typeof globalThis.fetch;

let database: TestDatabase;
let server: TestServer;
before(async () => {
  database = await createTestDatabase();
  server = await startTestServer({
    env: {
      DATABASE_URL: database.url,
      RATE_LIMIT_ONBOARDING_PER_HOUR: '10000',
      RATE_LIMIT_PURCHASES_PER_HOUR: '10000',
    },
  });
});
after(async () => {
  await server?.stop();
  await database?.[Symbol.asyncDispose]();
});

/** Buys in the simulated App Store, whose notification to the server is lost: only the app reports the purchase. */
async function buy(body: { product_id?: string; app_account_token?: string; quantity?: number }): Promise<Bought> {
  await store('control/deliveries', { isLost: true });
  return store<Bought>('buy', { product_id: PRODUCT, ...body });
}

async function store<Body>(path: string, body: object): Promise<Body> {
  const reply = await call<Body>(server.url, 'POST', `/dev/apple/store/${path}`, { body });
  assert.ok(reply.status < 300, reply.text);
  return reply.body;
}

async function guest(wrap?: (next: Fetch) => Fetch) {
  const made = await newClient(server.url, memoryStorage(), wrap);
  const { user_id: id } = await made.rendio.onboard();
  return { ...made, id };
}

async function createCode(credits: number): Promise<string> {
  const owner = ownerPool(database.url);
  const code = `GIFT${randomUUID().slice(0, 8).toUpperCase()}`;
  await owner.query('select create_code(p_credits := $1, p_uses_max := 10, p_code := $2, p_expires_at := null)', [
    credits,
    code,
  ]);
  await owner.end();
  return code;
}

const to = (calls: Seen[], name: string) => calls.filter(({ path }) => path.endsWith(name));
const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error,
  );

/** The first answer to `path` never arrives, though the server has given it. */
const losesFirstAnswer = (path: string) => {
  let isLost = false;
  return (next: Fetch): Fetch =>
    async (input, init) => {
      const response = await next(input, init);
      if (isLost || !String(input).endsWith(path)) return response;
      isLost = true;
      throw new TypeError('cut');
    };
};

/** The first answers to `path` are these. */
const answers = (path: string, ...planned: Response[]) => {
  return (next: Fetch): Fetch =>
    async (input, init) => {
      const answer = String(input).endsWith(path) ? planned.shift() : undefined;
      return answer ?? next(input, init);
    };
};

const noVerdict = (retryAfter: string) =>
  Response.json(
    { error: { code: 'ERR_5006', message: 'The App Store gives no answer.', details: {} } },
    { status: 503, headers: { 'Retry-After': retryAfter } },
  );

describe('a purchase', { concurrency: 4 }, () => {
  test('is of a product that the server lists, and is credited by its id or as it was signed', async () => {
    const { rendio, id } = await guest();
    const products = await rendio.products();
    assert.deepEqual(
      products.find(({ product_id }) => product_id === PRODUCT),
      { product_id: PRODUCT, credits: 50, display_name: '50 credits' },
    );
    const [one, two] = [await buy({ app_account_token: id }), await buy({ app_account_token: id, quantity: 2 })];
    assert.deepEqual(await rendio.reportPurchase({ transactionId: one.transaction_id }), {
      ...{ success: true, credits_added: 50, credits_remaining: 60, total_credits: 60 },
    });
    const second = await rendio.reportPurchase({ signedTransaction: two.signed_transaction });
    assert.deepEqual([second.credits_added, second.credits_remaining], [100, 160]);
    const again = await rendio.reportPurchase({ signedTransaction: one.signed_transaction });
    assert.deepEqual([again.credits_added, again.credits_remaining], [0, 160]);
  });

  test('whose answer was lost is reported again, and the app is told what it has added', async () => {
    const { rendio, id, calls } = await guest(losesFirstAnswer('update-credits'));
    const { signed_transaction: signedTransaction } = await buy({ app_account_token: id });
    assert.equal((await rendio.reportPurchase({ signedTransaction })).credits_added, 50);
    const keys = to(calls, 'update-credits').map(({ headers }) => headers.get('Idempotency-Key'));
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    assert.equal(await rendio.credits(), 60);
  });

  test('reaches the listeners, with the balance', async () => {
    const { rendio, id } = await guest();
    const events: JobEvent[] = [];
    let isLive = false;
    const stop = rendio.subscribe({
      onEvent: (event) => events.push(event),
      onState: (state) => {
        isLive = state === 'live';
      },
    });
    await until('the stream is open', () => isLive);
    const { transaction_id: transactionId } = await buy({ app_account_token: id });
    await rendio.reportPurchase({ transactionId });
    await until('the event has come', () =>
      events.some((event) => event.type === 'credits' && event.credits_remaining === 60),
    );
    stop();
  });

  test('of another account, or that is none, may be finished', async () => {
    const [{ rendio }, other] = [await guest(), await guest()];
    const { transaction_id: transactionId } = await buy({ app_account_token: other.id });
    const foreign = await refusalOf(rendio.reportPurchase({ transactionId }));
    assert.ok(foreign instanceof PurchaseError && foreign instanceof RendioError);
    assert.deepEqual([foreign.code, foreign.status, foreign.mayFinish], ['ERR_4012', 409, true]);
    const forged = await refusalOf(rendio.reportPurchase({ signedTransaction: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln' }));
    assert.ok(forged instanceof PurchaseError);
    assert.deepEqual([forged.code, forged.mayFinish, forged.details.reason], ['ERR_4011', true, 'signature']);
    assert.match(forged.requestId ?? '', /./);
    const notSold = await buy({ product_id: 'com.example.other' });
    const unknown = await refusalOf(rendio.reportPurchase({ transactionId: notSold.transaction_id }));
    assert.ok(unknown instanceof PurchaseError);
    assert.deepEqual(
      [unknown.details.reason, unknown.mayFinish],
      ['product', false],
      'the operator may have forgotten it',
    );
    assert.equal(await rendio.credits(), 10);
  });

  test('that was not judged may not be finished', async () => {
    const { rendio } = await guest();
    const malformed = await refusalOf(rendio.reportPurchase({ transactionId: 'no id at all' }));
    assert.ok(malformed instanceof PurchaseError);
    assert.deepEqual([malformed.code, malformed.mayFinish], ['ERR_4006', false]);
    await rendio.signOut();
    const signedOut = await refusalOf(rendio.reportPurchase({ transactionId: '1' }));
    assert.ok(signedOut instanceof SignedOutError && !(signedOut instanceof PurchaseError));
  });

  test('is reported again as soon as the server wants it, and no sooner', async () => {
    const { rendio, id, calls } = await guest(answers('update-credits', noVerdict('1')));
    const { transaction_id: transactionId } = await buy({ app_account_token: id });
    const startedAt = performance.now();
    assert.equal((await rendio.reportPurchase({ transactionId })).credits_added, 50);
    assert.ok(performance.now() - startedAt >= 990, 'it waited for a second');
    assert.equal(calls.filter(({ path }) => path.endsWith('update-credits')).length, 1);
  });

  test('stays unfinished when the server wants it later than the app is patient, or gives no answer', async () => {
    const { rendio, id, calls } = await guest(answers('update-credits', noVerdict('600')));
    const { transaction_id: transactionId } = await buy({ app_account_token: id });
    const later = await refusalOf(rendio.reportPurchase({ transactionId }));
    assert.ok(later instanceof PurchaseError);
    assert.deepEqual([later.code, later.mayFinish, later.retryAfterMs], ['ERR_5006', false, 600_000]);
    assert.equal(to(calls, 'update-credits').length, 0);
    const unheard = await guest((next) => async (input, init) => {
      if (String(input).endsWith('update-credits')) throw new TypeError('offline');
      return next(input, init);
    });
    const proof = { transactionId };
    const lost = await refusalOf(unheard.rendio.reportPurchase(proof, { patienceMs: 0 }));
    assert.ok(lost instanceof ConnectionError);
    assert.equal((await rendio.reportPurchase(proof)).credits_added, 50);
  });

  test('stops being reported when the app says so', async () => {
    const { rendio, id } = await guest(answers('update-credits', noVerdict('30')));
    const { transaction_id: transactionId } = await buy({ app_account_token: id });
    const controller = new AbortController();
    const reported = refusalOf(rendio.reportPurchase({ transactionId }, { signal: controller.signal }));
    controller.abort(new Error('enough'));
    assert.equal(Object(await reported).message, 'enough');
  });
});

describe('a code', () => {
  test('adds its credits once, however it is typed, also when the answer was lost', async () => {
    const { rendio } = await guest(losesFirstAnswer('redeem-code'));
    const code = await createCode(7);
    const typed = `${code.slice(0, 4)}-${code.slice(4).toLowerCase()} `;
    assert.deepEqual(await rendio.redeem(typed), { success: true, credits_added: 7, credits_remaining: 17 });
    assert.deepEqual(await rendio.redeem(code), { success: true, credits_added: 0, credits_remaining: 17 });
  });

  test('that does not exist is refused in the user’s language', async () => {
    const rendio = createClient({ url: server.url, storage: memoryStorage(), language: 'es' });
    await assert.rejects(rendio.redeem('WRONG-CODE'), { name: 'RendioError', code: 'ERR_4018', status: 400 });
    await assert.rejects(rendio.redeem('x'), { code: 'ERR_4006' });
  });
});

describe('the web shop', () => {
  async function clientOf(app: Awaited<ReturnType<typeof createShop>>): Promise<RendioClient> {
    const fetch: Fetch = async (input, init) => {
      const { pathname, search } = new URL(String(input));
      return app.people.app.fetch(pathname + search, init);
    };
    const rendio = createClient({ url: 'http://rendio.test', storage: memoryStorage(), fetch, device: null });
    const { token: access_token, refreshToken: refresh_token, id } = await app.people.guest();
    const user = { id } as Parameters<RendioClient['useSession']>[0]['user'];
    const expires_at = Math.floor(Date.now() / 1000) + 3600;
    await rendio.useSession({ access_token, refresh_token, token_type: 'bearer', expires_in: 3600, expires_at, user });
    return rendio;
  }

  test('tells its prices, and opens a checkout whose payment is credited', async () => {
    await using shop = await createShop();
    const rendio = await clientOf(shop);
    const product = (await rendio.products()).find(({ product_id }) => product_id === PRODUCT);
    assert.deepEqual(product?.web_price, { amount: 11.99, currency: 'usd' });
    const url = await rendio.checkout(PRODUCT, { quantity: 2 });
    const session = shop.stripe.controls.sessions().find((one) => one.url === url);
    assert.ok(session);
    await shop.stripe.controls.pay(session.id);
    await shop.deliverAll();
    assert.equal(await rendio.credits(), 110);
  });

  test('is absent from a server without it', async () => {
    const { rendio } = await guest();
    assert.deepEqual(
      (await rendio.products()).filter((product) => 'web_price' in product),
      [],
    );
    await assert.rejects(rendio.checkout(PRODUCT), { code: 'ERR_4017', status: 501 });
  });
});
