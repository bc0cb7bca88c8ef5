/** The App Store Server API over HTTP, of one environment: the other's transactions are not known here. */
import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';
import type { Call, CallLog } from '../call-log.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import type { Authority } from './authority.ts';
import { type ConsumptionStore, parseConsumption } from './consumption.ts';
import { AppStoreError } from './errors.ts';
import type { Identity } from './identity.ts';
import { notificationHistory, parseHistoryRequest } from './notification-history.ts';
import type { App, Notification, Notifications } from './notifications.ts';
import type { Notifier } from './notifier.ts';
import type { Stamps } from './stamps.ts';
import { refundHistory, transactionHistory } from './transaction-history.ts';
import { type Environment, payloadOf, type Transaction, type Transactions } from './transactions.ts';

export type AppStoreOperation =
  | 'transaction'
  | 'history'
  | 'refunds'
  | 'consumption'
  | 'notifications'
  | 'test'
  | 'test-status';
/** `input`: the environment that was asked, and the body. */
export type AppStoreCall = Call<AppStoreOperation>;

export type AppStoreParts = {
  app: App;
  identity: Identity;
  authority: Authority;
  transactions: Transactions;
  notifications: Notifications;
  consumption: ConsumptionStore;
  notifier: Notifier;
  calls: CallLog<AppStoreOperation>;
  stamp: Stamps;
  clock: Clock;
  log: Log;
  /** Whether the app is in the App Store. Until it is, Apple's production host refuses every token. */
  isReleased(): boolean;
};

type AppleContext = Context<SimulatorEnv>;
type Handler = (c: AppleContext, body: unknown) => Promise<Response>;

export function appStoreApp(parts: AppStoreParts, environment: Environment): Hono<SimulatorEnv> {
  const { log } = parts;
  const app = new Hono<SimulatorEnv>();
  const route = (operation: AppStoreOperation, handle: Handler) => (c: AppleContext) =>
    answer(parts, environment, c, operation, handle);
  app.get('/inApps/v1/transactions/:id', route('transaction', transactionInfo(parts, environment)));
  app.get('/inApps/v2/history/:id', route('history', history(parts, environment)));
  app.get('/inApps/v2/refund/lookup/:id', route('refunds', refunds(parts, environment)));
  app.put('/inApps/v2/transactions/consumption/:id', route('consumption', receiveConsumption(parts, environment)));
  app.post('/inApps/v1/notifications/history', route('notifications', notifications(parts, environment)));
  app.post('/inApps/v1/notifications/test', route('test', requestTest(parts, environment)));
  app.get('/inApps/v1/notifications/test/:token', route('test-status', testStatus(parts, environment)));
  app.onError((error, c) => {
    log.error({ cause: error.message }, 'the simulator of the App Store failed');
    return c.text('Internal Server Error', 500);
  });
  return app;
}

/** Checks who calls before it looks at what for. */
async function answer(
  parts: AppStoreParts,
  environment: Environment,
  c: AppleContext,
  operation: AppStoreOperation,
  handle: Handler,
): Promise<Response> {
  const text = await c.req.text();
  const body = jsonOf(text);
  const checked = async () => {
    const isLocked = environment === 'Production' && !parts.isReleased();
    if (isLocked || !(await parts.authority.accepts(c.req.header('authorization')))) return unauthenticated(c);
    // Apple answers a body that is no JSON without a number.
    if (text !== '' && body === undefined) return c.body(null, 400);
    try {
      return await handle(c, body);
    } catch (error) {
      if (error instanceof AppStoreError) return error.response();
      throw error;
    }
  };
  return parts.calls.answer(operation, c, checked, { environment, ...(text === '' ? {} : { body }) });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unauthenticated(c: AppleContext): Response {
  return c.text(`Unauthenticated\n\nRequest ID: ${randomUUID().replaceAll('-', '').toUpperCase()}\n`, 401);
}

/** The transaction that the path names. Throws Apple's refusals. */
async function named({ transactions }: AppStoreParts, environment: Environment, id: string): Promise<Transaction> {
  if (!/^[1-9]\d{0,19}$/.test(id)) throw new AppStoreError('INVALID_TRANSACTION_ID');
  const transaction = await transactions.find(id, environment);
  if (!transaction) throw new AppStoreError('TRANSACTION_ID_NOT_FOUND');
  return transaction;
}

const idIn = (c: AppleContext) => c.req.param('id') ?? '';
const queryOf = (c: AppleContext) => new URL(c.req.url).searchParams;

function signTransaction({ identity, app, stamp }: AppStoreParts, transaction: Transaction): Promise<string> {
  return identity.sign(payloadOf(transaction, app.bundleId, stamp()));
}

function signAll(parts: AppStoreParts, transactions: Transaction[]): Promise<string[]> {
  return Promise.all(transactions.map((transaction) => signTransaction(parts, transaction)));
}

function transactionInfo(parts: AppStoreParts, environment: Environment): Handler {
  return async (c) => {
    const transaction = await named(parts, environment, idIn(c));
    return c.json({ signedTransactionInfo: await signTransaction(parts, transaction) });
  };
}

function history(parts: AppStoreParts, environment: Environment): Handler {
  const { transactions, app } = parts;
  return async (c) => {
    const of = await named(parts, environment, idIn(c));
    const { items, revision, hasMore } = transactionHistory(await transactions.list(), of, queryOf(c));
    return c.json({
      revision,
      hasMore,
      bundleId: app.bundleId,
      ...(environment === 'Production' ? { appAppleId: app.appId } : {}),
      environment,
      signedTransactions: await signAll(parts, items),
    });
  };
}

function refunds(parts: AppStoreParts, environment: Environment): Handler {
  return async (c) => {
    const of = await named(parts, environment, idIn(c));
    const { items, revision, hasMore } = refundHistory(await parts.transactions.list(), of, queryOf(c));
    return c.json({ signedTransactions: await signAll(parts, items), revision, hasMore });
  };
}

function receiveConsumption(parts: AppStoreParts, environment: Environment): Handler {
  return async (c, body) => {
    const { transactionId, ownership } = await named(parts, environment, idIn(c));
    if (ownership === 'FAMILY_SHARED') throw new AppStoreError('FAMILY_TRANSACTION_NOT_SUPPORTED');
    await parts.consumption.add(transactionId, parseConsumption(body));
    return c.body(null, 202);
  };
}

const historyItem = ({ signedPayload, attempts }: Notification) => ({
  signedPayload,
  sendAttempts: attempts.map(({ attemptDate, sendAttemptResult }) => ({ attemptDate, sendAttemptResult })),
});

function notifications(parts: AppStoreParts, environment: Environment): Handler {
  return async (c, body) => {
    const request = parseHistoryRequest(body, environment, parts.clock.now().getTime());
    const of = request.transactionId && (await named(parts, environment, request.transactionId));
    const customer = of ? of.customer : undefined;
    const paginationToken = c.req.query('paginationToken');
    const all = await parts.notifications.list();
    const { items, ...page } = notificationHistory(all, request, { environment, customer, paginationToken });
    return c.json({ ...page, notificationHistory: items.map(historyItem) });
  };
}

function requestTest({ notifier }: AppStoreParts, environment: Environment): Handler {
  return async (c) => {
    if (!notifier.isRegistered()) throw new AppStoreError('SERVER_NOTIFICATION_URL_NOT_FOUND');
    return c.json({
      testNotificationToken: await notifier.sendLater({ type: 'TEST', environment, transaction: null }),
    });
  };
}

function testStatus({ notifications: store }: AppStoreParts, environment: Environment): Handler {
  return async (c) => {
    const token = c.req.param('token') ?? '';
    if (!/^[0-9a-f-]{36}$/.test(token)) throw new AppStoreError('INVALID_TEST_NOTIFICATION_TOKEN');
    const sent = await store.find(token);
    const isKnown = sent?.type === 'TEST' && sent.environment === environment && sent.attempts.length > 0;
    if (!isKnown) throw new AppStoreError('TEST_NOTIFICATION_NOT_FOUND');
    return c.json(historyItem(sent));
  };
}
