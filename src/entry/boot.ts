/** Makes a running context from an environment, for the server and for a separate worker. */
import process from 'node:process';
import { localUrlOf } from '../app/callback-url.ts';
import { type Config, readConfig } from '../app/config.ts';
import { type ContextOptions, createContext, type RunningContext } from '../app/context.ts';
import { storedSettingsOf } from '../app/stored-settings.ts';
import { type DatabaseVariable, describeDatabaseFailure } from '../db/failure.ts';
import { migrate } from '../db/migrate.ts';
import { type StoredSettings, storeSettings } from '../db/settings.ts';
import { compareClocks, tryRole, trySameDatabase, trySessions } from '../db/try-urls.ts';
import type { EmbeddedPostgres } from '../embedded-postgres/start.ts';
import { createProcessWatch } from '../features/maintenance/watch-process.ts';
import { startWatch } from '../features/maintenance/worker/watch.ts';
import { systemClock } from '../kernel/clock.ts';
import { errorCodeInChain, errorLabel } from '../kernel/error-code.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { isConfigurationFault } from '../media/storage-problem.ts';
import type { ProviderManifest } from '../providers/manifest.ts';
import { MANIFESTS } from '../providers/manifests.ts';
import { describeDataDirFailure, prepareDataDir } from './data-dir.ts';
import { loadDevelopmentSecrets } from './development-secrets.ts';
import { createLog } from './log.ts';
import { type SimulatedPages, startSimulation } from './simulation.ts';
import { tracingSettings } from './tracing/settings.ts';
import { startTracing } from './tracing/start.ts';
import { readVersion } from './version.ts';

export type Boot = {
  config: Config;
  log: Log;
  running: RunningContext;
  database: { url: string; directUrl: string; embedded: EmbeddedPostgres | null };
  /** Names of the vendors that this process simulates. */
  simulated: string[];
  /** The pages of its simulators, for people. */
  simulatedPages: SimulatedPages | null;
  /** The server's URL for processes on this machine. Set again by the server once it listens: the system may choose the port. */
  listening: { url: string | null };
  /** Aborts when the shutdown begins. */
  stopping: AbortController;
  /** Closes everything, the embedded database last. */
  close(): Promise<void>;
};

export type BootOptions = {
  /** The providers that there may be. */
  manifests?: readonly ProviderManifest[];
  env: Record<string, string | undefined>;
  /** False for a separate worker, which does not start a database. */
  canEmbed: boolean;
} & Pick<ContextOptions, 'createRuntime'>;

/** Files and folders that this process and its children make are for their user alone. */
const PRIVATE_UMASK = 0o077;

export async function boot({ env, canEmbed, manifests = MANIFESTS, ...runtime }: BootOptions): Promise<Boot> {
  const config = await readConfig(env, { manifests });
  const { settings, secrets } = config;
  const { environment, server } = settings;
  const isPretty = process.stdout.isTTY && !env.LOG_JSON;
  const log = createLog({ level: server.logLevel, isPretty, environment });
  for (const warning of config.warnings) log.warn({}, warning);
  process.umask(PRIVATE_UMASK);
  const dataDir = await prepareDataDir(settings.server.dataDir, log);
  const generated = secrets.jwtPrivateKey && secrets.secretKey ? null : await loadDevelopmentSecrets(dataDir);
  const jwtPrivateKey = secrets.jwtPrivateKey ?? generated?.jwtPrivateKey;
  const secretKey = secrets.secretKey ?? generated?.secretKey;
  if (!jwtPrivateKey || !secretKey) throw new StartupError('JWT_PRIVATE_KEY and SECRET_KEY are needed.');
  const closers: (() => Promise<void>)[] = [];
  // A failure must not keep the others open, above all not the database.
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (const close of closers.reverse().splice(0)) await close().catch((error) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
  };
  try {
    const tracing = await startTracing(tracingSettings(config, env), readVersion(), log);
    closers.push(() => tracing.close());
    const database = await openDatabase(config, dataDir, canEmbed, log);
    if (database.embedded) closers.push(() => database.embedded?.stop() ?? Promise.resolve());
    await prepareDatabase(database, storedSettingsOf(config), log);
    const listening = { url: localUrlOf(settings.server) };
    const localUrl = () => listening.url;
    const simulation = await startSimulation(config, {
      ...{ manifests, dataDir, clock: systemClock, log, localUrl },
      // Only Node's own runtime keeps connections to send pushes on.
      sendsPushes: runtime.createRuntime === undefined,
    });
    closers.push(() => simulation.close());
    const stopping = new AbortController();
    const running = await createContext({
      config,
      database,
      secrets: { jwtPrivateKey, secretKey: secretKey.reveal() },
      connections: simulation.connections,
      localUrl,
      log,
      tracer: tracing.tracer,
      stopping: stopping.signal,
      ...runtime,
    });
    closers.push(() => running.close());
    const watch = startWatch({ log }, createProcessWatch(running.ctx));
    closers.push(() => watch.stop());
    await checkStore(running, log);
    return {
      ...{ config, log, running, database, listening, stopping, close: closeAll },
      ...{ simulated: simulation.names, simulatedPages: simulation.pages },
    };
  } catch (error) {
    await closeAll();
    throw describeDataDirFailure(error, dataDir);
  }
}

/**
 * A disk that cannot be used stops the start. A store that cannot be reached now is checked before the first write: the rest
 * of the server needs none.
 */
async function checkStore({ ensureOwnStore }: RunningContext, log: Log): Promise<void> {
  await ensureOwnStore().catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'ERR_6002') throw error;
    if (isConfigurationFault(error)) throw error.cause;
    const code = errorCodeInChain(error.cause) ?? errorLabel(error.cause);
    log.warn({ code }, 'the media store cannot be reached: nothing is stored until it can');
  });
}

/** Tries both URLs, migrates the database and stores the operator's settings in it. A failure names the URL's variable. */
async function prepareDatabase(
  { url, directUrl }: Pick<Boot['database'], 'url' | 'directUrl'>,
  settings: StoredSettings,
  log: Log,
): Promise<void> {
  const isOne = url === directUrl;
  await naming(isOne ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL', async () => {
    await trySessions(directUrl);
    await migrate({ url: directUrl, log });
    await storeSettings(directUrl, settings, { isStart: true });
    await tryRole(directUrl);
    await compareClocks(directUrl, systemClock, log);
  });
  if (!isOne) await naming('DATABASE_URL', () => trySameDatabase(url, directUrl));
}

async function naming(variable: DatabaseVariable, work: () => Promise<void>): Promise<void> {
  await work().catch((error) => {
    throw describeDatabaseFailure(error, variable);
  });
}

async function openDatabase(
  { secrets }: Config,
  dataDir: string,
  canEmbed: boolean,
  log: Log,
): Promise<Boot['database']> {
  if (secrets.database) {
    return { url: secrets.database.url.reveal(), directUrl: secrets.database.directUrl.reveal(), embedded: null };
  }
  if (!canEmbed) {
    throw new StartupError(
      'This process needs DATABASE_URL: the embedded PostgreSQL belongs to `npm start`, which runs a worker already.',
    );
  }
  // Loaded only when needed: another runtime may lack its dependencies.
  const { startEmbeddedPostgres } = await import('../embedded-postgres/start.ts');
  // Never in production: readConfig requires DATABASE_URL there.
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  return { url: embedded.url, directUrl: embedded.url, embedded };
}
