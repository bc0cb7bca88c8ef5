/** An App Store of the tests' own: its root and chain, signed transactions and notifications, and the four API calls. */
import { randomInt, randomUUID } from 'node:crypto';
import { exportPKCS8, generateKeyPair } from 'jose';
import { createAppStore } from '../../src/apple/app-store/app-store.ts';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import type { AppStore } from '../../src/apple/app-store/port.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { makeChain, signWith, type TestChain } from './apple-chain.ts';
import { BUNDLE_ID } from './apple-id.ts';

export const APP_ID = 1_234_567_890;
const URLS = { production: 'https://api.storekit.test', sandbox: 'https://api.storekit-sandbox.test' };
const PAGE_ENTRIES = 20;

/** Members that replace the usual ones; undefined leaves one out. */
export type Fields = Record<string, unknown>;
/** `transaction`: its members, or a whole JWS. `data`: members of the container. */
export type NotificationFields = Fields & { transaction?: Fields | string; data?: Fields };

/** A reply of the API in place of its usual one; undefined: the usual one after all. */
export type AppStoreFault = (request: Request) => Response | undefined | Promise<Response | undefined>;

export type TestAppStore = {
  chain: TestChain;
  /** In DER. */
  roots: Uint8Array[];
  urls: typeof URLS;
  signTransaction(fields?: Fields): Promise<string>;
  signNotification(fields?: NotificationFields): Promise<string>;
  /** What the API knows, by members; to be filled by the test. A member `environment` decides which host has it. */
  transactions: Fields[];
  notifications: NotificationFields[];
  /** What was sent about consumption, in order. */
  consumptions: { transactionId: string; body: unknown }[];
  /** Every request to the API, in order. */
  calls: { method: string; url: URL; authorization: string | null }[];
  /** Replaces replies until it is set to null. */
  setFault(fault: AppStoreFault | null): void;
  fetch: typeof fetch;
};

/** Digits, as Apple's. */
export const newTransactionId = (): string => `2000${randomInt(1e11, 2e11)}`;

export async function createTestAppStore({ clock = systemClock }: { clock?: Clock } = {}): Promise<TestAppStore> {
  const chain = await makeChain();
  const signers = signersOf(chain, clock);
  const transactions: Fields[] = [];
  const notifications: NotificationFields[] = [];
  const consumptions: TestAppStore['consumptions'] = [];
  const calls: TestAppStore['calls'] = [];
  let fault: AppStoreFault | null = null;

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    calls.push({ method: request.method, url, authorization: request.headers.get('authorization') });
    const replaced = await fault?.(request.clone());
    if (replaced) return replaced;
    const environment = url.origin === URLS.sandbox ? 'Sandbox' : 'Production';
    const isHere = (fields: Fields) => environmentOf(fields) === environment;
    const here = { transactions: transactions.filter(isHere), notifications: notifications.filter(isHere) };
    if (url.pathname === '/inApps/v1/notifications/history')
      return notificationsPage(here.notifications, url.searchParams, signers);
    const id = url.pathname.split('/').at(-1);
    const found = here.transactions.find(({ transactionId }) => transactionId === id);
    if (!found || id === undefined) return notFound();
    if (url.pathname.startsWith('/inApps/v1/transactions/'))
      return Response.json({ signedTransactionInfo: await signers.signTransaction(found) });
    if (url.pathname.startsWith('/inApps/v2/history/'))
      return transactionsPage(here.transactions, environment, url.searchParams, signers);
    consumptions.push({ transactionId: id, body: await request.json() });
    return new Response(null, { status: 202 });
  }

  return {
    ...{ chain, transactions, notifications, consumptions, calls, urls: URLS, ...signers },
    roots: [chain.root.der],
    setFault: (next) => {
      fault = next;
    },
    fetch: (input, init) => answer(new Request(input, init)),
  };
}

type Signers = Pick<TestAppStore, 'signTransaction' | 'signNotification'>;

function signersOf(chain: TestChain, clock: Clock): Signers {
  const nowMs = () => clock.now().getTime();

  async function signTransaction(fields: Fields = {}) {
    const transactionId = fields.transactionId ?? newTransactionId();
    const usual = {
      ...{
        transactionId,
        originalTransactionId: transactionId,
        bundleId: BUNDLE_ID,
        productId: 'com.rendio.credits.10',
      },
      ...{ purchaseDate: nowMs(), originalPurchaseDate: nowMs(), quantity: 1, type: 'Consumable' },
      ...{ inAppOwnershipType: 'PURCHASED', signedDate: nowMs(), environment: 'Production' },
      ...{ transactionReason: 'PURCHASE', storefront: 'USA', storefrontId: '143441', price: 990, currency: 'USD' },
    };
    return signWith(chain, { ...usual, ...fields });
  }

  async function signNotification({ transaction, data = {}, ...fields }: NotificationFields = {}) {
    const named = environmentOf({ ...fields, transaction });
    const container = {
      ...{ environment: named, bundleId: BUNDLE_ID, bundleVersion: '1.0' },
      ...(named === 'Production' ? { appAppleId: APP_ID } : {}),
      ...(transaction === undefined ? {} : { signedTransactionInfo: await sealed(transaction, named) }),
      ...data,
    };
    const usual = { notificationType: 'TEST', notificationUUID: randomUUID(), version: '2.0', signedDate: nowMs() };
    const { environment: _, ...rest } = fields;
    return signWith(chain, { ...usual, data: container, ...rest });
  }

  async function sealed(transaction: Fields | string, environment: unknown): Promise<string> {
    return typeof transaction === 'string' ? transaction : signTransaction({ environment, ...transaction });
  }

  return { signTransaction, signNotification };
}

/** A notification is of the environment of its transaction, unless it names one itself. */
function environmentOf({ environment, transaction }: Fields): unknown {
  const inner = typeof transaction === 'object' ? Reflect.get(transaction ?? {}, 'environment') : undefined;
  return environment ?? inner ?? 'Production';
}

function notFound(): Response {
  return Response.json({ errorCode: 4040010, errorMessage: 'Transaction id not found.' }, { status: 404 });
}

async function notificationsPage(all: NotificationFields[], query: URLSearchParams, { signNotification }: Signers) {
  const start = Number(query.get('paginationToken') ?? 0);
  const page = all.slice(start, start + PAGE_ENTRIES);
  const signed = await Promise.all(page.map((fields) => signNotification(fields)));
  const hasMore = start + PAGE_ENTRIES < all.length;
  return Response.json({
    notificationHistory: signed.map((signedPayload) => ({ signedPayload, sendAttempts: [] })),
    hasMore,
    ...(hasMore ? { paginationToken: String(start + PAGE_ENTRIES) } : {}),
  });
}

async function transactionsPage(
  all: Fields[],
  environment: string,
  query: URLSearchParams,
  { signTransaction }: Signers,
) {
  const start = Number(query.get('revision') ?? 0);
  const page = all.slice(start, start + PAGE_ENTRIES);
  return Response.json({
    signedTransactions: await Promise.all(page.map((fields) => signTransaction(fields))),
    revision: String(start + page.length),
    hasMore: start + PAGE_ENTRIES < all.length,
    ...{ bundleId: BUNDLE_ID, appAppleId: APP_ID, environment },
  });
}

/** The real gateway in front of this App Store, as a part of a context. */
export async function appStoreOverrides(
  store: TestAppStore,
  clock: Clock = systemClock,
): Promise<{ appStore: AppStore }> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const appStore = createAppStore({
    key: { keyId: 'KEY0000000', issuerId: randomUUID(), privateKey: await exportPKCS8(privateKey) },
    ...{ bundleId: BUNDLE_ID, appId: APP_ID, roots: store.roots, urls: store.urls, fetch: store.fetch, clock },
    createVerifier: createOfficialVerifier,
  });
  return { appStore };
}
