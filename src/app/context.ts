/** Builds what the features are given: the only place that names concrete gateways. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createDeviceCheck, type DeviceCheck } from '../apple/device-check.ts';
import type { TeamKey } from '../apple/team-token.ts';
import { createDatabase } from '../db/database.ts';
import { createLease } from '../db/lease.ts';
import { listen } from '../db/listen.ts';
import { latestMigration } from '../db/migrate.ts';
import { closePool, createPool } from '../db/pool.ts';
import type { Context, Policy } from '../features/context.ts';
import { createMediaSigner } from '../http/signed-url.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { createRefreshTokens } from '../kernel/refresh-tokens.ts';
import { createTokens } from '../kernel/tokens.ts';
import { createDiskStore } from '../media/disk.ts';
import { createProbe } from '../media/probe.ts';
import type { ProviderName, VideoProvider } from '../providers/provider.ts';
import { createSandboxProvider } from '../providers/sandbox/index.ts';
import type { Config } from './config.ts';

/** Somebody waits with a phone in hand: past this, Apple's turn is given up and the device is let in without a grant. */
const GRANT_WAIT_MS = 15_000;
/** More renders at once than this only make each of them slower. */
const RENDERS_MAX = 2;
const PROBES_MAX = 2;

export type ContextOptions = {
  config: Config;
  database: { url: string; directUrl: string };
  secrets: { jwtPrivateKey: NonNullable<Config['secrets']['jwtPrivateKey']>; secretKey: string };
  /** Apple's team key, or the simulator's; undefined switches device-check off. */
  deviceCheckKey: TeamKey | undefined;
  /** How Apple is reached: the network, or a simulator. */
  appleFetch: typeof fetch;
  log: Log;
  stopping: AbortSignal;
  /** Stands in for what would be built; whoever brings it closes it. */
  overrides?: Partial<Context>;
};

export type RunningContext = { ctx: Context; close(): Promise<void> };

/** Connects to everything and hands it out as one context; `close` lets go of it all, the database last. */
export async function createContext(options: ContextOptions): Promise<RunningContext> {
  const { config, database, secrets, log, stopping } = options;
  const clock = systemClock;
  const dataDir = resolve(config.settings.server.dataDir);
  const workDir = await emptyWorkDir(dataDir);
  const pool = createPool({ url: database.url, log, connectionsMax: 20 });
  const userEvents = await listen({ url: database.directUrl, channel: 'user_events', log }).catch(async (error) => {
    await pool.end();
    throw error;
  });
  const providers = createProviders(config, dataDir, log);
  const probe = createProbe({ maxParallel: PROBES_MAX, log });

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
    deviceCheck: deviceCheckOf(options),
    deviceGrantLease: createLease({ url: database.directUrl, name: 'device grants', waitMs: GRANT_WAIT_MS, log }),
    providers,
    media: createDiskStore({ folder: join(dataDir, 'media') }),
    probe,
    mediaSigner: createMediaSigner(secrets.secretKey, clock),
    latestMigration: await latestMigration(),
    workDir,
    userEvents,
    stopping,
    ...options.overrides,
  };
  return {
    ctx,
    async close() {
      await Promise.all([probe.close(), ...[...providers.values()].map((provider) => provider.close())]);
      await userEvents.close();
      await closePool(pool);
    },
  };
}

function deviceCheckOf({ config, deviceCheckKey, appleFetch, log }: ContextOptions): DeviceCheck | null {
  if (!deviceCheckKey) return null;
  const baseUrl = config.settings.apple.deviceCheckUrl;
  return createDeviceCheck({ baseUrl, ...deviceCheckKey, fetch: appleFetch, clock: systemClock, log });
}

/** The sandbox renders for development and staging alone: nobody pays for its videos. */
function createProviders(config: Config, dataDir: string, log: Log): Map<ProviderName, VideoProvider> {
  const providers = new Map<ProviderName, VideoProvider>();
  if (config.settings.environment !== 'production') {
    const workDir = join(dataDir, 'sandbox');
    providers.set('sandbox', createSandboxProvider({ workDir, log, maxParallel: RENDERS_MAX }));
  }
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

/** Files of a process that was killed are of no use to the next one: their jobs begin anew. */
async function emptyWorkDir(dataDir: string): Promise<string> {
  const work = join(dataDir, 'work');
  await mkdir(work, { recursive: true, mode: 0o700 });
  for (const name of await readdir(work)) {
    if (!isOthers(Number(name))) await rm(join(work, name), { recursive: true, force: true });
  }
  const folder = join(work, String(process.pid));
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/** A server or a worker beside this one may be at work in the same data folder. */
function isOthers(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
