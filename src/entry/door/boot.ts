/** From an edge function's environment to a running application, once in an isolate's life. */
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../../app/config.ts';
import { readConfig } from '../../app/config.ts';
import { createContext, type RunningContext } from '../../app/context.ts';
import { createEdgeRuntime } from '../../app/edge-runtime.ts';
import { createHttp } from '../../app/http.ts';
import { realConnections, type VendorConnections } from '../../app/vendor-connections.ts';
import { storeSettings } from '../../db/settings.ts';
import type { Api } from '../../http/api.ts';
import { clientIp } from '../../http/client-ip.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { loadDevelopmentSecrets } from '../development-secrets.ts';
import { edgeEnvironment, requireForIsolates } from './environment.ts';
import { createConsoleLog } from './log.ts';
import { socketAddress } from './runtime.ts';

/** There may be dozens of isolates, and the database has room for some sixty connections in all. */
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

/** Connects lazily, migrates nothing, owns nothing on a disk; `stopping` aborts when the runtime takes the isolate away. */
export async function bootIsolate(given: Record<string, string | undefined>, stopping: AbortSignal): Promise<Isolate> {
  const env = edgeEnvironment(given);
  requireForIsolates(env);
  const config = await readConfig({ ...env, DATA_DIR: env.DATA_DIR || join(tmpdir(), 'rendio') });
  const { settings, secrets } = config;
  if (!secrets.database) throw new StartupError('DATABASE_URL is missing.');
  const log = createConsoleLog(settings.server.logLevel);
  const dataDir = resolve(settings.server.dataDir);
  const database = { url: secrets.database.url.reveal(), directUrl: secrets.database.directUrl.reveal() };
  // An isolate migrates nothing; what is set for all of them is stored all the same.
  if (env.INITIAL_GRANT_CREDITS) await storeSettings(database.directUrl, settings.limits);
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
    corsOrigins: settings.server.corsOrigins,
    anonKey: secrets.supabase?.anonKey.reveal(),
    ipOf: (c) => clientIp(socketAddress(c.env), c.req.header('X-Forwarded-For'), settings.server.trustedProxyHops),
    isWorking: () => null,
  });
  return { config, log, running, api, directUrl: database.directUrl, secretKey: keys.secretKey };
}

async function keysOf({ secrets }: Config, dataDir: string) {
  const { jwtPrivateKey, secretKey } = secrets;
  if (jwtPrivateKey && secretKey) return { jwtPrivateKey, secretKey: secretKey.reveal() };
  const made = await loadDevelopmentSecrets(dataDir);
  return { jwtPrivateKey: jwtPrivateKey ?? made.jwtPrivateKey, secretKey: (secretKey ?? made.secretKey).reveal() };
}

/** Not named where a bundler looks for names: no simulator is packed into what is deployed. There, nothing is simulated. */
const SIMULATION = new URL('../simulation.ts', import.meta.url).href;

type StartSimulation = (
  config: Config,
  options: { dataDir: string; clock: Clock; log: Log },
) => Promise<{ connections: VendorConnections }>;

async function connectVendors(config: Config, dataDir: string, log: Log): Promise<VendorConnections> {
  if (config.settings.environment !== 'development') return realConnections(config);
  const module: { startSimulation: StartSimulation } = await import(SIMULATION).catch((error) => {
    throw new StartupError('Simulators are not deployed. Set ENVIRONMENT to staging or production.', { cause: error });
  });
  return (await module.startSimulation(config, { dataDir, clock: systemClock, log })).connections;
}
