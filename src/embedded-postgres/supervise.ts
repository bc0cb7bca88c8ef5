import type pg from 'pg';
import type { Log } from '../kernel/log.ts';
import type { Binaries } from './binaries.ts';
import { urlOf } from './cluster.ts';
import type { Exit, Launched } from './launch.ts';
import { holdServerLock } from './server-lock.ts';
import { shutDown } from './shut-down.ts';

/** A running PostgreSQL that this process has started. */
export type EmbeddedPostgres = {
  /** The owner's connection string for database `rendio`. */
  url: string;
  pid: number;
  /** Shuts down within about 16 s, cleanly if possible; repeatable. */
  stop(): Promise<void>;
  /** Resolves when PostgreSQL has ended, for whatever reason. */
  exited: Promise<Exit>;
};

/** Takes the server's lock in a started PostgreSQL and creates database `rendio`; shuts it down again if that fails. */
export async function supervise(
  launched: Launched,
  cluster: string,
  binaries: Binaries,
  log: Log,
): Promise<EmbeddedPostgres> {
  const { port, pid, exited } = launched;
  const stopPostgres = () => shutDown(pid, exited, log, cluster, binaries);
  try {
    const lock = await holdServerLock(await urlOf(cluster, port, 'postgres'), log, makeDatabase);
    void exited.then(lock.stopWatching);
    let stopping: Promise<void> | undefined;
    const stop = () => {
      lock.stopWatching();
      stopping ??= stopPostgres();
      return stopping;
    };
    return { url: await urlOf(cluster, port, 'rendio'), pid, stop, exited };
  } catch (error) {
    await stopPostgres();
    throw error;
  }
}

async function makeDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(`select from pg_database where datname = 'rendio'`);
  if (rowCount === 0) await client.query('create database rendio');
}
