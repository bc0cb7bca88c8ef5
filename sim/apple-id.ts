import { join } from 'node:path';
import type { Hono } from 'hono';
import { type AppleIdCall, type AppleIdOperation, type AppleIdParts, appleIdApp } from './apple-id/app.ts';
import { type Client, createClients, type TrustedKey } from './apple-id/clients.ts';
import { type Authorization, createEvents, type Events } from './apple-id/events.ts';
import { openGrants } from './apple-id/grants.ts';
import { openIdentity } from './apple-id/identity.ts';
import { createNotifier, type NotificationDelivery } from './apple-id/notifier.ts';
import { type NewPerson, openPeople, type Person } from './apple-id/people.ts';
import { createTokens, type TokenForm } from './apple-id/tokens.ts';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { createFaults, type FaultInput } from './faults.ts';
import type { SimulatorOptions } from './provider-simulator.ts';

export type { Authorization };

export type AppleIdControls = Events & {
  /** A fault of the next requests; `on` is `keys`, `token`, `revoke` or `any`. */
  plan(fault: FaultInput): void;
  clearFaults(): void;
  createPerson(person: NewPerson): Promise<Person>;
  /** The apps and websites that may use Sign in with Apple. */
  clients(): Client[];
  /** Another app or website; of the simulator's own team unless it names another. */
  addClient(client: { clientId: string; teamId?: string; isAuthorized?: boolean }): void;
  trust(key: TrustedKey): Promise<void>;
  /** Signs with a new key alone from now on. `keepOld`: the old keys are still published. */
  rotateKeys(options: { keepOld: boolean }): Promise<void>;
  setTokenForm(form: Partial<TokenForm>): void;
  /** Where notifications go from now on. */
  setNotificationsUrl(url: string): void;
  setNotificationRetryMs(ms: number): void;
  /** Oldest first; the last thousand. */
  deliveries(): NotificationDelivery[];
  /** Oldest first; the last thousand. */
  calls(): AppleIdCall[];
};

export type AppleIdSimulator = {
  /** Apple's own, which the adapters call. */
  baseUrl: string;
  hosts: string[];
  app: Hono<SimulatorEnv>;
  /** The audiences of its identity tokens. */
  clientIds: readonly string[];
  /** What its team signs client secrets with; `privateKeyPem` is PKCS #8. */
  credentials: { teamId: string; keyId: string; privateKeyPem: string };
  controls: AppleIdControls;
  /** Closes the connections that a fault keeps waiting, and sends no notification again. */
  close(): Promise<void>;
};

export type AppleIdOptions = {
  /** The apps and websites of the simulator's team; the first is the app. */
  clientIds?: readonly [string, ...string[]];
  /** Where the notifications go; null while there is no server. */
  notificationsUrl?: () => string | null;
};

const HOST = 'appleid.apple.com';
const DEFAULT_CLIENT_ID = 'dev.rendio.app';

/**
 * Apple's part of Sign in with Apple. People and what they have allowed are files in `dataDir`: they survive a restart, and all
 * processes that share the folder are one Apple.
 */
export async function createAppleIdSimulator(options: SimulatorOptions & AppleIdOptions): Promise<AppleIdSimulator> {
  const { dataDir, clock, log, deliver, clientIds = [DEFAULT_CLIENT_ID] } = options;
  const folder = join(dataDir, 'simulators', 'apple-id');
  const identity = await openIdentity(folder);
  const people = await openPeople(join(folder, 'people'), clock);
  const grants = await openGrants(join(folder, 'grants'), clock);
  const clients = createClients(clock);
  await clients.trust(identity.team);
  const { teamId, keyId, privateKeyPem } = identity.team;
  for (const clientId of clientIds) clients.register({ clientId, teamId, isAuthorized: true });
  const tokens = createTokens(identity, clock);
  const faults = createFaults();
  const stopping = new AbortController();
  let url = options.notificationsUrl ?? (() => null);
  const notifier = createNotifier({ tokens, url: () => url(), deliver, clock, log, closing: stopping.signal });
  const calls = createCallLog<AppleIdOperation>(faults);
  const parts: AppleIdParts = { identity, clients, people, grants, tokens, calls, log };
  const controls: AppleIdControls = {
    ...createEvents(parts, notifier),
    plan: faults.plan,
    clearFaults: faults.clear,
    createPerson: people.create,
    clients: clients.all,
    addClient: (client) => clients.register({ teamId, isAuthorized: true, ...client }),
    trust: clients.trust,
    rotateKeys: identity.rotate,
    setTokenForm: tokens.setForm,
    setNotificationsUrl(next) {
      url = () => next;
    },
    setNotificationRetryMs: notifier.setRetryMs,
    deliveries: notifier.deliveries,
    calls: calls.list,
  };
  return {
    baseUrl: `https://${HOST}`,
    hosts: [HOST],
    app: appleIdApp(parts),
    clientIds,
    credentials: { teamId, keyId, privateKeyPem },
    controls,
    async close() {
      stopping.abort();
      faults.close();
      await notifier.close();
    },
  };
}
