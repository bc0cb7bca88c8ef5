/** Makes a running application from an edge function's environment, once per isolate. */
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../../app/config.ts';
import { readConfig } from '../../app/config.ts';
import { createContext, type RunningContext } from '../../app/context.ts';
import { createEdgeRuntime } from '../../app/edge-runtime.ts';
import { createHttp } from '../../app/http.ts';
import { storedSettingsOf } from '../../app/stored-settings.ts';
import { realConnections, type VendorConnections } from '../../app/vendor-connections.ts';
import { storeSettings } from '../../db/settings.ts';
import type { Api } from '../../http/api.ts';
import { clientIp } from '../../http/client-ip.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import type { ProviderManifest } from '../../providers/manifest.ts';
import { MANIFESTS } from '../../providers/manifests.ts';
import { loadDevelopmentSecrets } from '../development-secrets.ts';
import { edgeEnvironment, requireForIsolates } from './environment.ts';
import { createConsoleLog } from './log.ts';
import { remoteIpOf } from './runtime.ts';

/** There may be dozens of isolates, and the database allows about sixty connections in total. */
const CONNECTIONS_MAX = 3;

export type Isolate = {
  config: Config;
  log: Log;
  running: RunningContext;
  api: Api;
  /** Unpooled. */
  directUrl: string;
  secretKey: string;
};

/** Connects lazily, migrates nothing, keeps nothing on a disk; `stopping` aborts when the runtime ends the isolate. */
export async function bootIsolate(given: Record<string, string | undefined>, stopping: AbortSignal): Promise<Isolate> {
  const env = edgeEnvironment(given);
  requireForIsolates(env);
  const config = await readConfig({ ...env, DATA_DIR: env.DATA_DIR || join(tmpdir(), 'rendio') });
  const { settings, secrets } = config;
  if (!secrets.database) throw new StartupError('DATABASE_URL is missing.');
  const log = createConsoleLog(settings.server.logLevel, settings.environment);
  for (const warning of config.warnings) log.warn({}, warning);
  const dataDir = resolve(settings.server.dataDir);
  const database = { url: secrets.database.url.reveal(), directUrl: secrets.database.directUrl.reveal() };
  await storeGivenSettings(config, env, database.directUrl);
  const connections = await connectVendors(config, dataDir, log);
  const keys = await keysOf(config, dataDir);
  const running = await createContext({
    config,
    database,
    secrets: keys,
    connections,
    localUrl: () => null,
    log,
    stopping,
    createRuntime: createEdgeRuntime,
    connectionsMax: CONNECTIONS_MAX,
  });
  const api = createHttp(running.ctx, {
    publicUrl: settings.server.publicUrl,
    trustedProxyHops: settings.server.trustedProxyHops,
    corsOrigins: settings.server.corsOrigins,
    anonKey: secrets.supabase?.anonKey.reveal(),
    ipOf: (c) => clientIp(remoteIpOf(c.env), c.req.header('X-Forwarded-For'), settings.server.trustedProxyHops),
    isWorking: () => null,
  });
  return { config, log, running, api, directUrl: database.directUrl, secretKey: keys.secretKey };
}

/**
 * An isolate does not migrate the database, but it stores the settings that it is given. It starts too often to send what a receiver
 * of webhooks has stopped, and leaves on what a server has switched on.
 */
async function storeGivenSettings(config: Config, env: Record<string, string | undefined>, url: string): Promise<void> {
  const { initialGrantCredits, sendsWebhooks } = storedSettingsOf(config);
  if (!env.INITIAL_GRANT_CREDITS && !sendsWebhooks) return;
  const given = {
    initialGrantCredits: env.INITIAL_GRANT_CREDITS ? initialGrantCredits : undefined,
    sendsWebhooks: sendsWebhooks || undefined,
  };
  await storeSettings(url, given, { isStart: false });
}

async function keysOf({ secrets }: Config, dataDir: string) {
  const { jwtPrivateKey, secretKey } = secrets;
  if (jwtPrivateKey && secretKey) return { jwtPrivateKey, secretKey: secretKey.reveal() };
  const generated = await loadDevelopmentSecrets(dataDir);
  return {
    jwtPrivateKey: jwtPrivateKey ?? generated.jwtPrivateKey,
    secretKey: (secretKey ?? generated.secretKey).reveal(),
  };
}

/** No literal import, so that bundlers leave the simulators out of a deployment, where no vendor is simulated. */
const SIMULATION = new URL('../simulation.ts', import.meta.url).href;

type StartSimulation = (
  config: Config,
  options: { manifests: readonly ProviderManifest[]; dataDir: string; clock: Clock; log: Log; sendsPushes: boolean },
) => Promise<{ connections: VendorConnections }>;

async function connectVendors(config: Config, dataDir: string, log: Log): Promise<VendorConnections> {
  if (config.settings.environment !== 'development') return realConnections(config, MANIFESTS);
  const module: { startSimulation: StartSimulation } = await import(SIMULATION).catch((error) => {
    throw new StartupError('Simulators are not deployed. Set ENVIRONMENT to staging or production.', { cause: error });
  });
  const options = { manifests: MANIFESTS, dataDir, clock: systemClock, log, sendsPushes: false };
  return (await module.startSimulation(config, options)).connections;
}
