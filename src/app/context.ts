/** Builds the context of the features. Only this file names concrete gateways. */
import { resolve } from 'node:path';
import { createAppStore } from '../apple/app-store/app-store.ts';
import { createDeviceCheck, type DeviceCheck } from '../apple/device-check.ts';
import { createAppleIdentity } from '../apple/identity-token.ts';
import { createAppleSignIn } from '../apple/sign-in.ts';
import { createDatabase } from '../db/database.ts';
import { LATEST_MIGRATION } from '../db/latest-migration.ts';
import { createLease } from '../db/lease.ts';
import { closePool, createPool } from '../db/pool.ts';
import { createRefreshTokens } from '../features/accounts/refresh-tokens.ts';
import { createTokens } from '../features/accounts/tokens.ts';
import { createAdminTokens } from '../features/admin/tokens.ts';
import type { Context } from '../features/context.ts';
import { createErrorLog } from '../features/maintenance/error-log.ts';
import { createMediaSigner } from '../http/signed-url.ts';
import { createSignedWebhooks } from '../http/signed-webhook.ts';
import { createBulkhead } from '../kernel/bulkhead.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createSealer } from '../kernel/sealer.ts';
import { within } from '../kernel/sleep.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { createMediaFetcher } from '../media/fetch-media.ts';
import { VIDEO_BYTES_MAX } from '../media/object-path.ts';
import { createStripePayments } from '../payments/stripe/index.ts';
import { providerOf } from '../providers/manifest.ts';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';
import type { PushService } from '../push/port.ts';
import { callbackUrls } from './callback-url.ts';
import type { Config } from './config.ts';
import { measuredProvider } from './measured-provider.ts';
import { openMediaStore } from './media-store.ts';
import { createObservability, type Telling } from './observability.ts';
import { overloadOf } from './overload.ts';
import type { OwnStore } from './own-store.ts';
import { promptPolicyOf } from './prompt-policy.ts';
import type { CreateRuntime, RuntimeCapabilities } from './runtime-capabilities.ts';
import type { AppleIdAccess, DeviceCheckAccess, VendorConnections } from './vendor-connections.ts';
import { webhookReceiverOf } from './webhook-receiver.ts';

/** A user waits at a phone: after this time DeviceCheck is given up, and the device counts as not verified. */
const GRANT_WAIT_MS = 15_000;
/** For a server with many concurrent requests; an isolate, which has few, sets a lower number. */
const CONNECTIONS_MAX = 20;
/** For the rest of the error log at the end. */
const ERROR_LOG_GRACE_MS = 1_000;
/** The part of the worker's slots that one vendor may use: a vendor that hangs leaves the other half. */
const VENDORS_SHARE = 1 / 2;

export type ContextOptions = {
  config: Config;
  database: { url: string; directUrl: string };
  secrets: { jwtPrivateKey: NonNullable<Config['secrets']['jwtPrivateKey']>; secretKey: string };
  /** How vendors are reached: over the network, or in the simulators of this process. */
  connections: VendorConnections;
  /** Where this machine's own processes reach the server; null where it has no port, or not yet. */
  localUrl(): string | null;
  log: Log;
  /** None by default. */
  tracer?: Tracer;
  stopping: AbortSignal;
  /** What this process can do besides answering requests. By default: everything that Node on a machine can. */
  createRuntime?: CreateRuntime;
  connectionsMax?: number;
  /** Replaces parts of the context; the caller closes them. */
  overrides?: Partial<Context>;
};

/** `concurrency`: how many tasks its worker runs at a time. `ensureOwnStore`: see `OwnStore`. */
export type RunningContext = {
  ctx: Context;
  concurrency: number;
  ensureOwnStore: OwnStore['ensureOwn'];
  close(): Promise<void>;
};

/** Connects to everything and returns it as one context; `close` closes all of it, the database last. */
export async function createContext(options: ContextOptions): Promise<RunningContext> {
  const { config, database, secrets, connections, log, stopping } = options;
  const clock = systemClock;
  const dataDir = resolve(config.settings.server.dataDir);
  // Imported only where it is needed: an isolate may not even import its modules.
  const createRuntime = options.createRuntime ?? (await import('./node-runtime.ts')).createNodeRuntime;
  const runtime = await createRuntime({ dataDir, directUrl: database.directUrl, log });
  const push = pushOf(connections, runtime, log);
  const pool = createPool({ url: database.url, log, connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX });

  const db = createDatabase(pool);
  const observability = createObservability(options, runtime, db);
  const providers = await createProviders(connections, runtime, observability);
  const newUuid = () => crypto.randomUUID();
  const randomBytes = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const errorLog = createErrorLog({ db, log, clock, newUuid, stopping });
  const { directUrl } = database;
  const { workDir } = runtime;
  const store = openMediaStore({ config, dataDir, db, directUrl, workDir, newUuid, clock, log });

  const ctx: Context = {
    ...{ db, clock, errorLog },
    ...observability,
    readOverload: overloadOf(db, runtime),
    webhookReceiver: webhookReceiverOf(config, runtime),
    ...policiesOf(config),
    ...tokensOf(options),
    refreshTokenFor: createRefreshTokens(secrets.secretKey),
    randomBytes,
    newUuid,
    deviceCheck: connections.deviceCheck ? deviceCheckOf(connections.deviceCheck, observability) : null,
    ...signInWithApple(connections.appleId),
    ...storesOf(connections, runtime),
    push,
    appleTokenSealer: createSealer(secrets.secretKey, 'rendio apple tokens', randomBytes),
    deviceGrantLease: createLease({ url: database.directUrl, name: 'device grants', waitMs: GRANT_WAIT_MS, log }),
    providers,
    simulated: simulatedIn(connections),
    callbackUrl: callbackUrls({
      publicUrl: config.settings.server.publicUrl,
      providers: connections.providers,
      localUrl: options.localUrl,
    }),
    verifySignedWebhook: config.secrets.webhookSecret
      ? createSignedWebhooks(config.secrets.webhookSecret.reveal())
      : null,
    bulkhead: createBulkhead({ slots: Math.ceil(runtime.concurrency * VENDORS_SHARE), clock }),
    media: store.media,
    mediaFetcherFor: mediaFetchersOf(config, connections, runtime),
    probe: runtime.probe,
    imageCheck: runtime.imageCheck,
    mediaSigner: createMediaSigner(secrets.secretKey, clock),
    latestMigration: LATEST_MIGRATION,
    workDir,
    userEvents: runtime.userEvents,
    stopping,
    ...options.overrides,
  };
  ctx.providers = new Map([...ctx.providers].map(([name, provider]) => [name, measuredProvider(provider, ctx)]));
  return {
    ctx,
    concurrency: runtime.concurrency,
    ensureOwnStore: store.ensureOwn,
    async close() {
      await closeRuntime(runtime, [push, ...providers.values()]);
      await within(ERROR_LOG_GRACE_MS, errorLog.drain());
      await closePool(pool);
    },
  };
}

type Closable = { close(): Promise<void> };

async function closeRuntime(runtime: RuntimeCapabilities, others: (Closable | null)[]): Promise<void> {
  runtime.load?.stop();
  await Promise.all([runtime.probe, runtime.imageCheck, ...others].map((each) => each?.close()));
  await runtime.userEvents.close();
}

function tokensOf({ config, secrets }: ContextOptions): Pick<Context, 'adminTokens' | 'tokens'> {
  const { publicUrl, port } = config.settings.server;
  const signing = {
    privateKey: secrets.jwtPrivateKey.reveal(),
    previousKeys: config.secrets.jwtPreviousKeys,
    clock: systemClock,
    issuer: `${publicUrl ?? `http://localhost:${port}`}/auth/v1`,
  };
  return { tokens: createTokens(signing), adminTokens: createAdminTokens(signing) };
}

function deviceCheckOf({ key, ...access }: DeviceCheckAccess, { log, raiseAlert }: Telling): DeviceCheck {
  const onRefusedKey = () => raiseAlert({ kind: 'vendor_key', subject: 'devicecheck' });
  return createDeviceCheck({ ...access, ...key, clock: systemClock, log, onRefusedKey });
}

function signInWithApple(access: AppleIdAccess | undefined): Pick<Context, 'appleIdentity' | 'appleSignIn'> {
  if (!access) return { appleIdentity: null, appleSignIn: null };
  const { key, ...rest } = access;
  return {
    appleIdentity: createAppleIdentity({ ...rest, clock: systemClock }),
    appleSignIn: key ? createAppleSignIn({ ...key, ...rest, clock: systemClock }) : null,
  };
}

function storesOf(
  { appStore, stripe }: VendorConnections,
  { createVerifier }: RuntimeCapabilities,
): Pick<Context, 'appStore' | 'payments'> {
  return {
    appStore: appStore ? createAppStore({ ...appStore, createVerifier, clock: systemClock }) : null,
    payments: stripe ? createStripePayments({ ...stripe, clock: systemClock }) : null,
  };
}

function pushOf({ apns }: VendorConnections, { createPush }: RuntimeCapabilities, log: Log): PushService | null {
  if (!apns) return null;
  return createPush ? createPush({ ...apns, clock: systemClock, log }) : { send: null, close: async () => {} };
}

const MEDIA_STALL_MS = 30_000;

/** One fetcher for the network, and one for the simulators of this process, with the same checks. */
function mediaFetchersOf(
  { settings }: Config,
  connections: VendorConnections,
  runtime: RuntimeCapabilities,
): Context['mediaFetcherFor'] {
  const options = {
    extraHosts: settings.mediaAllowedHosts,
    extraMayBePrivate: settings.environment !== 'production',
    bytesMax: VIDEO_BYTES_MAX,
    stallMs: MEDIA_STALL_MS,
    fetch: runtime.pinsIps ? undefined : fetch,
  };
  const { providers, simulatedFetch } = connections;
  const real = createMediaFetcher(options);
  if (!simulatedFetch) return () => real;
  const get = (url: URL, signal: AbortSignal) => simulatedFetch(url, { signal, redirect: 'manual' });
  const simulated = createMediaFetcher({ ...options, get });
  return ({ name }) => (providers.get(name)?.isSimulated ? simulated : real);
}

/** All providers on offer here, in the manifests' order. */
async function createProviders(
  { providers }: VendorConnections,
  runtime: RuntimeCapabilities,
  { log, raiseAlert }: Telling,
): Promise<Map<ProviderName, VideoProvider>> {
  const created = [...providers.values()].map(async ({ manifest, connection }) => {
    const tools = {
      clock: systemClock,
      log,
      createSandbox: runtime.createSandbox,
      onRefusedKey: () => raiseAlert({ kind: 'vendor_key', subject: manifest.name }),
    };
    const adapter = await manifest.createAdapter(connection, tools);
    return [manifest.name, providerOf(manifest, adapter)] as const;
  });
  return new Map(await Promise.all(created));
}

function simulatedIn({ providers }: VendorConnections): ReadonlySet<ProviderName> {
  return new Set([...providers].filter(([, { isSimulated }]) => isSimulated).map(([name]) => name));
}

function policiesOf(config: Config): Pick<Context, 'policy' | 'promptPolicy'> {
  const { apple, errorLogDays, limits, retention } = config.settings;
  const policy = {
    initialGrantCredits: limits.initialGrantCredits,
    deviceCheckFallback: limits.deviceCheckFallback,
    generationDeadlineSeconds: limits.generationDeadlineSeconds,
    sandboxPurchases: apple.sandboxPurchases,
    consumptionConsent: apple.consumptionConsent,
    refundPreference: apple.refundPreference,
    errorLogDays,
    retention,
    limits,
  };
  return { policy, promptPolicy: promptPolicyOf(config) };
}
