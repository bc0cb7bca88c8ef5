import { join } from 'node:path';
import type { Hono } from 'hono';
import type { JWTPayload } from 'jose';
import { type AppStoreCall, type AppStoreOperation, type AppStoreParts, appStoreApp } from './app-store/app.ts';
import { createAuthority } from './app-store/authority.ts';
import { type ConsumptionInformation, openConsumption } from './app-store/consumption.ts';
import type { DeliveryPlanInput } from './app-store/delivery-plans.ts';
import { createEvents, type Events } from './app-store/events.ts';
import { openIdentity } from './app-store/identity.ts';
import { type Notification, openNotifications } from './app-store/notifications.ts';
import { createNotifier } from './app-store/notifier.ts';
import { createStamps } from './app-store/stamps.ts';
import { type Environment, openTransactions, type Transaction } from './app-store/transactions.ts';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { createFaults, type FaultInput } from './faults.ts';
import type { SimulatorOptions } from './provider-simulator.ts';

export type { Environment, Notification, Transaction };

export type AppStoreControls = Events & {
  /** A fault of the next API calls; `on` is an operation of `calls`, or `any`. */
  plan(fault: FaultInput): void;
  clearFaults(): void;
  /** What happens to the next notifications. */
  planDelivery(plan: DeliveryPlanInput): void;
  clearDeliveryPlans(): void;
  /** Where notifications go from now on. */
  setNotificationsUrl(url: string): void;
  setNotificationRetryMs(ms: number): void;
  /** False: as before the app's first release, when Apple's production host answers 401. */
  setReleased(isReleased: boolean): void;
  /** In the order of their last change. */
  transactions(): Promise<Transaction[]>;
  /** Oldest first. */
  notifications(): Promise<Notification[]>;
  /** What servers have told about consumption, oldest first. */
  consumption(): Promise<ConsumptionInformation[]>;
  /** Oldest first; the last thousand. */
  calls(): AppStoreCall[];
  /** Signs with the leaf's key whatever it is given. */
  sign(payload: JWTPayload): Promise<string>;
};

export type AppStoreSimulator = {
  bundleId: string;
  /** App Store Connect's number of the app. */
  appId: number;
  /** What calls to its API are signed with; `privateKeyPem` is PKCS #8. */
  credentials: { keyId: string; issuerId: string; privateKeyPem: string };
  /** Its root certificate alone, in DER. */
  roots(): Promise<readonly Uint8Array[]>;
  /** Apple's own, which the adapter calls. */
  urls: { production: string; sandbox: string };
  /** Which app answers for which host. */
  apps: ReadonlyMap<string, Hono<SimulatorEnv>>;
  controls: AppStoreControls;
  /** Closes the connections that a fault keeps waiting, and sends no notification again. */
  close(): Promise<void>;
};

export type AppStoreOptions = {
  bundleId?: string | undefined;
  appId?: number | undefined;
  /** Where the notifications go; null while there is no server. */
  notificationsUrl?: () => string | null;
};

const HOSTS = { Production: 'api.storekit.apple.com', Sandbox: 'api.storekit-sandbox.apple.com' } as const;
const DEFAULT_BUNDLE_ID = 'dev.rendio.app';
const DEFAULT_APP_ID = 1_000_000_001;

/**
 * The App Store as servers meet it: its API, its notifications and what it signs. Purchases and notifications are files in
 * `dataDir`: they survive a restart, and all processes that share the folder are one App Store.
 */
export async function createAppStoreSimulator(options: SimulatorOptions & AppStoreOptions): Promise<AppStoreSimulator> {
  const { dataDir, clock, log, deliver, bundleId = DEFAULT_BUNDLE_ID, appId = DEFAULT_APP_ID } = options;
  const folder = join(dataDir, 'simulators', 'app-store');
  const app = { bundleId, appId };
  const stamp = createStamps(clock);
  const identity = await openIdentity(folder);
  const transactions = await openTransactions(join(folder, 'transactions'), stamp);
  const notifications = await openNotifications(join(folder, 'notifications'), { app, identity, stamp, clock });
  const consumption = await openConsumption(join(folder, 'consumption'), stamp);
  const faults = createFaults();
  const stopping = new AbortController();
  let url = options.notificationsUrl ?? (() => null);
  let isReleased = true;
  const notifier = createNotifier({ notifications, url: () => url(), deliver, clock, log, closing: stopping.signal });
  const parts: AppStoreParts = {
    ...{ app, identity, transactions, notifications, consumption, notifier, stamp, clock, log },
    authority: await createAuthority({ team: identity.team, bundleId, clock }),
    calls: createCallLog<AppStoreOperation>(faults),
    isReleased: () => isReleased,
  };
  const controls: AppStoreControls = {
    ...createEvents(parts),
    plan: faults.plan,
    clearFaults: faults.clear,
    planDelivery: notifier.plan,
    clearDeliveryPlans: notifier.clearPlans,
    setNotificationsUrl(next) {
      url = () => next;
    },
    setNotificationRetryMs: notifier.setRetryMs,
    setReleased(next) {
      isReleased = next;
    },
    transactions: transactions.list,
    notifications: notifications.list,
    consumption: consumption.list,
    calls: parts.calls.list,
    sign: identity.sign,
  };
  const { keyId, issuerId, privateKeyPem } = identity.team;
  return {
    ...app,
    credentials: { keyId, issuerId, privateKeyPem },
    roots: async () => [await identity.root()],
    urls: { production: `https://${HOSTS.Production}`, sandbox: `https://${HOSTS.Sandbox}` },
    apps: new Map([
      [HOSTS.Production, appStoreApp(parts, 'Production')],
      [HOSTS.Sandbox, appStoreApp(parts, 'Sandbox')],
    ]),
    controls,
    async close() {
      stopping.abort();
      faults.close();
      await notifier.close();
    },
  };
}
