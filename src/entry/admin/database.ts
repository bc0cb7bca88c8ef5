/** The database that a command works on, whether its server runs or not. */
import { resolve } from 'node:path';
import { type Config, readConfig } from '../../app/config.ts';
import { createDatabase, type Database } from '../../db/database.ts';
import { describeDatabaseFailure } from '../../db/failure.ts';
import { LATEST_MIGRATION } from '../../db/latest-migration.ts';
import { migrate } from '../../db/migrate.ts';
import { closePool, createPool } from '../../db/pool.ts';
import { errorCodeOf } from '../../kernel/error-code.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { createLog } from '../log.ts';
import type { AdminTools } from './command.ts';

const UNDEFINED_TABLE = '42P01';
/** Commands make one statement after the other. */
const CONNECTIONS_MAX = 2;

export type AdminDatabase = { db: Database; directUrl: string };
type Found = { url: string; directUrl: string; close(): Promise<void> };

/**
 * Opens the database of DATABASE_URL; without it, the embedded one of DATA_DIR: that of the server that runs on the folder, or
 * one that is started for this command. Closes it after the work.
 */
export async function withDatabase<T>(tools: AdminTools, work: (database: AdminDatabase) => Promise<T>): Promise<T> {
  const { config, found } = await findDatabase(tools);
  const { environment, server } = config.settings;
  const log = createLog({ level: server.logLevel, isPretty: process.stdout.isTTY, environment });
  const pool = createPool({ url: found.url, log, applicationName: 'rendio-admin', connectionsMax: CONNECTIONS_MAX });
  try {
    const db = createDatabase(pool);
    await requireMigrated(async (name) => {
      const found = db.read.selectFrom('schema_history').select('name').where('name', '=', name);
      return (await found.executeTakeFirst()) !== undefined;
    });
    return await work({ db, directUrl: found.directUrl });
  } finally {
    await closePool(pool);
    await found.close();
  }
}

/** Where the database is; started if it is the embedded one and no server runs. */
export async function findDatabase({ env, progress }: AdminTools): Promise<{ config: Config; found: Found }> {
  const config = await readConfig(env);
  const { database } = config.secrets;
  if (database) {
    const [url, directUrl] = [database.url.reveal(), database.directUrl.reveal()];
    return { config, found: { url, directUrl, close: async () => {} } };
  }
  const dataDir = resolve(config.settings.server.dataDir);
  const { findRunningPostgres } = await import('../../embedded-postgres/find-running.ts');
  const running = await findRunningPostgres(dataDir);
  if (running) return { config, found: { url: running, directUrl: running, close: async () => {} } };
  progress('starting the database of DATA_DIR');
  const log = createLog({ level: 'error', isPretty: process.stdout.isTTY, environment: 'development' });
  const { startEmbeddedPostgres } = await import('../../embedded-postgres/start.ts');
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  try {
    // Nothing else uses it now, so it is brought up to date as `npm start` would do.
    await migrate({ url: embedded.url, log });
    return { config, found: { url: embedded.url, directUrl: embedded.url, close: () => embedded.stop() } };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/**
 * Throws where the database is older than this version, by whether it has a migration: an operator's command never migrates a
 * database that servers use.
 */
export async function requireMigrated(hasMigration: (name: string) => Promise<boolean>): Promise<void> {
  const isMigrated = await hasMigration(LATEST_MIGRATION).catch((error: unknown) => {
    // A database that no server has started on.
    if (errorCodeOf(error) === UNDEFINED_TABLE) return false;
    throw describeDatabaseFailure(error);
  });
  if (isMigrated) return;
  throw new StartupError(
    'The database is older than this version of Rendio: start its server once, which migrates it.',
  );
}
