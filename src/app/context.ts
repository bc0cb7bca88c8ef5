/** Builds what the features are given: the only place that names concrete gateways. */
import { join, resolve } from 'node:path';
import { createDeviceCheck, type DeviceCheck } from '../apple/device-check.ts';
import { createDatabase } from '../db/database.ts';
import { LATEST_MIGRATION } from '../db/latest-migration.ts';
import { createLease } from '../db/lease.ts';
import { closePool, createPool } from '../db/pool.ts';
import { createRefreshTokens } from '../features/accounts/refresh-tokens.ts';
import { createTokens } from '../features/accounts/tokens.ts';
import type { Context, Policy } from '../features/context.ts';
import { createMediaSigner } from '../http/signed-url.ts';
import { createSignedWebhooks } from '../http/signed-webhook.ts';
import { createBulkhead } from '../kernel/bulkhead.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createDiskStore } from '../media/disk.ts';
import { createMediaFetcher } from '../media/fetch-media.ts';
import { createS3Store } from '../media/s3.ts';
import type { MediaStore } from '../media/store.ts';
import { createFalProvider } from '../providers/fal/index.ts';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';
import { createRunwayProvider } from '../providers/runway/index.ts';
import { callbackUrls } from './callback-url.ts';
import type { Config } from './config.ts';
import type { CreateRuntime, RuntimeCapabilities } from './runtime-capabilities.ts';
import type { DeviceCheckAccess, VendorConnections } from './vendor-connections.ts';

/** Somebody waits with a phone in hand: past this, Apple's turn is given up and the device is let in without a grant. */
const GRANT_WAIT_MS = 15_000;
/** A server that answers many at once; an isolate, which answers a few, asks for fewer. */
const CONNECTIONS_MAX = 20;
/** Of the worker's places, for each vendor: one that hangs leaves as many as it takes. */
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
  stopping: AbortSignal;
  /** What this process can do beside answering. Left out: all that a machine can. */
  createRuntime?: CreateRuntime;
  connectionsMax?: number;
  /** Stands in for what would be built; whoever brings it closes it. */
  overrides?: Partial<Context>;
};

/** `workPlaces`: how many tasks its worker is to do at a time. */
export type RunningContext = { ctx: Context; concurrency: number; close(): Promise<void> };

/** Connects to everything and hands it out as one context; `close` lets go of it all, the database last. */
export async function createContext(options: ContextOptions): Promise<RunningContext> {
  const { config, database, secrets, connections, log, stopping } = options;
  const clock = systemClock;
  const dataDir = resolve(config.settings.server.dataDir);
  // Loaded only where it is wanted: it brings what an isolate may not even import.
  const createPlace = options.createRuntime ?? (await import('./node-runtime.ts')).createNodeRuntime;
  const place = await createPlace({ dataDir, directUrl: database.directUrl, log });
  const pool = createPool({ url: database.url, log, connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX });
  const providers = createProviders(config, connections, place, log);

  const ctx: Context = {
    db: createDatabase(pool),
    clock,
    log,
    policy: policyOf(config),
    tokens: createTokens({
      privateKey: secrets.jwtPrivateKey.reveal(),
      previousKeys: config.secrets.jwtPreviousKeys,
      clock,
      issuer: `${config.settings.server.publicUrl ?? `http://localhost:${config.settings.server.port}`}/auth/v1`,
    }),
    refreshTokenFor: createRefreshTokens(secrets.secretKey),
    randomBytes: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    newUuid: () => crypto.randomUUID(),
    deviceCheck: connections.deviceCheck ? deviceCheckOf(connections.deviceCheck, log) : null,
    deviceGrantLease: createLease({ url: database.directUrl, name: 'device grants', waitMs: GRANT_WAIT_MS, log }),
    providers,
    simulated: connections.simulated,
    callbackUrl: callbackUrls({
      settings: config.settings,
      simulated: connections.simulated,
      localUrl: options.localUrl,
    }),
    verifySignedWebhook: config.secrets.webhookSecret
      ? createSignedWebhooks(config.secrets.webhookSecret.reveal())
      : null,
    bulkhead: createBulkhead({ slots: Math.ceil(place.concurrency * VENDORS_SHARE), clock }),
    media: mediaStoreOf(config, dataDir, clock),
    mediaFetcherFor: mediaFetchersOf(config, connections, place),
    probe: place.probe,
    mediaSigner: createMediaSigner(secrets.secretKey, clock),
    latestMigration: LATEST_MIGRATION,
    workDir: place.workDir,
    userEvents: place.userEvents,
    stopping,
    ...options.overrides,
  };
  return {
    ctx,
    concurrency: place.concurrency,
    async close() {
      await Promise.all([place.probe.close(), ...[...providers.values()].map((provider) => provider.close())]);
      await place.userEvents.close();
      await closePool(pool);
    },
  };
}

function deviceCheckOf({ key, ...access }: DeviceCheckAccess, log: Log): DeviceCheck {
  return createDeviceCheck({ ...access, ...key, clock: systemClock, log });
}

/** Files of this machine, or a bucket that every server and worker of a fleet can reach. */
function mediaStoreOf({ secrets: { s3, supabase } }: Config, dataDir: string, clock: Clock): MediaStore {
  if (!s3) return createDiskStore({ folder: join(dataDir, 'media') });
  const { secretAccessKey, bucket, ...place } = s3;
  // On Supabase our buckets are its own, with its policies.
  const where = { ...place, bucket: supabase ? null : bucket };
  return createS3Store({ ...where, secretAccessKey: secretAccessKey.reveal(), fetch, clock });
}

/** A minute of 4K is some 500 MB: whatever is longer than this is no video that was asked for. */
const MEDIA_BYTES_MAX = 2_000_000_000;
const MEDIA_STALL_MS = 30_000;

/** One for the network; and one whose providers' hosts are in this process, which guards the rest just the same. */
function mediaFetchersOf(
  { settings }: Config,
  connections: VendorConnections,
  place: RuntimeCapabilities,
): Context['mediaFetcherFor'] {
  const options = {
    extraHosts: settings.mediaAllowedHosts,
    extraMayBePrivate: settings.environment !== 'production',
    bytesMax: MEDIA_BYTES_MAX,
    stallMs: MEDIA_STALL_MS,
    fetch: place.pinsAddresses ? undefined : fetch,
  };
  const { simulated, simulatedFetch } = connections;
  const real = createMediaFetcher(options);
  if (!simulatedFetch) return () => real;
  const get = (url: URL, signal: AbortSignal) => simulatedFetch(url, { signal, redirect: 'manual' });
  const played = createMediaFetcher({ ...options, get });
  return ({ name }) => (simulated.has(name) ? played : real);
}

/** Vendors that can be reached; and the sandbox, for development and staging alone: nobody pays for its videos. */
function createProviders(
  { settings }: Config,
  connections: VendorConnections,
  place: RuntimeCapabilities,
  log: Log,
): Map<ProviderName, VideoProvider> {
  const providers = new Map<ProviderName, VideoProvider>();
  if (settings.environment !== 'production') providers.set('sandbox', place.createSandbox());
  const tools = { clock: systemClock, log };
  for (const name of ['fal', 'pika'] as const) {
    const access = connections[name];
    if (access) providers.set(name, createFalProvider({ name, ...access, ...tools }));
  }
  if (connections.runway) providers.set('runway', createRunwayProvider({ ...connections.runway, ...tools }));
  return providers;
}

function policyOf({ settings: { limits } }: Config): Policy {
  return {
    initialGrantCredits: limits.initialGrantCredits,
    deviceCheckFallback: limits.deviceCheckFallback,
    generationDeadlineSeconds: limits.generationDeadlineSeconds,
    limits,
  };
}
