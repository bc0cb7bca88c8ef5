/** The simulated App Store in a world of its own, a server that hears its notifications, and calls to its API. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { decodeJwt, importPKCS8, type JWTPayload, SignJWT } from 'jose';
import type { AppStoreOptions, AppStoreSimulator } from '../../sim/app-store.ts';
import { createWorld, type WorldOptions } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';

export const START_MS = Date.UTC(2026, 10, 29, 12);
export const BUNDLE_ID = 'com.example.rendio';
export const APP_ID = 1_234_567_890;
export const NOTIFICATIONS_URL = 'http://rendio.test/functions/v1/apple-server-notifications';
export const PRODUCT = 'com.example.rendio.credits50';

type Options = Partial<Omit<WorldOptions, 'appStore'>> & AppStoreOptions;

/** The clock stands still until it is set. */
export async function appStoreIn(t: TestContext, { bundleId, appId, notificationsUrl, ...options }: Options = {}) {
  const time = { ms: START_MS };
  const inbox = createInbox();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'app-store-')));
  if (!options.dataDir) t.after(() => rm(dataDir, { recursive: true, force: true }));
  const world = await createWorld({
    ...{ dataDir, clock: { now: () => new Date(time.ms) }, log: silentLog, deliver: inbox.deliver },
    appStore: {
      ...{ bundleId: bundleId ?? BUNDLE_ID, appId: appId ?? APP_ID },
      notificationsUrl: notificationsUrl ?? (() => NOTIFICATIONS_URL),
    },
    ...options,
  });
  t.after(() => world.close());
  const { appStore } = world;
  appStore.controls.setNotificationRetryMs(1);
  const api = (environment: 'production' | 'sandbox', method: string, path: string, body?: unknown) =>
    callApi(world.fetch, appStore, { environment, method, path, body });
  return { world, appStore, store: appStore.controls, inbox, time, dataDir, api };
}

type Call = { environment: 'production' | 'sandbox'; method: string; path: string; body?: unknown; token?: string };

/** `body` is undefined where the answer is no JSON. */
export async function callApi(fetchIt: typeof fetch, appStore: AppStoreSimulator, call: Call) {
  const token = call.token ?? (await apiToken(appStore));
  const response = await fetchIt(`${appStore.urls[call.environment]}/inApps${call.path}`, {
    method: call.method,
    headers: { authorization: `Bearer ${token}` },
    ...(call.body === undefined ? {} : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: parsed(text) };
}

// biome-ignore lint/suspicious/noExplicitAny: the tests compare what is in it
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Claims that are undefined are left out. */
export async function apiToken(
  { credentials, bundleId }: AppStoreSimulator,
  claims: Record<string, unknown> = {},
  { kid = credentials.keyId, privateKeyPem = credentials.privateKeyPem } = {},
): Promise<string> {
  const now = START_MS / 1000;
  const usual = { iss: credentials.issuerId, aud: 'appstoreconnect-v1', bid: bundleId, iat: now, exp: now + 300 };
  const given = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: 'ES256', kid }).sign(await importPKCS8(privateKeyPem, 'ES256'));
}

/** A decoded notification, with its transaction decoded as well. */
export type Received = {
  notificationType: string;
  subtype?: string;
  notificationUUID: string;
  signedDate: number;
  data: Record<string, unknown>;
  transaction: JWTPayload | null;
};

export function decodeNotification(signedPayload: string): Received {
  const payload: Omit<Received, 'transaction'> = decodeJwt(signedPayload);
  const signed = payload.data.signedTransactionInfo;
  return { ...payload, transaction: typeof signed === 'string' ? decodeJwt(signed) : null };
}

/** Stands in for the app's server. */
export function createInbox() {
  const payloads: string[] = [];
  const urls: string[] = [];
  const planned: number[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  const deliver: typeof fetch = async (input, init) => {
    payloads.push(JSON.parse(String(init?.body)).signedPayload);
    urls.push(String(input));
    for (const { count, resolve } of waiting) if (payloads.length >= count) resolve();
    const status = planned.shift() ?? 200;
    if (status === 0) throw new TypeError('fetch failed');
    return new Response(null, { status });
  };
  return {
    deliver,
    payloads,
    urls,
    received: (): Received[] => payloads.map(decodeNotification),
    /** The next answers; 0: none at all. Afterwards 200. */
    answer: (...statuses: number[]) => planned.push(...statuses),
    async atLeast(count: number): Promise<void> {
      if (payloads.length >= count) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      await promise;
    },
  };
}
