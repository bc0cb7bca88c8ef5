import type pg from 'pg';
import type { Log } from '../kernel/log.ts';
import type { Binaries } from './binaries.ts';
import { urlOf } from './cluster.ts';
import { holdGuard } from './guard.ts';
import { halt } from './halt.ts';
import type { Exit, Launched } from './launch.ts';

/** A running PostgreSQL of ours. */
export type EmbeddedPostgres = {
  /** The owner's connection string for database `rendio`. */
  url: string;
  pid: number;
  /** Shuts down within about 16 s, cleanly if it can; repeatable. */
  stop(): Promise<void>;
  /** Resolves when PostgreSQL has ended, wanted or not. */
  exited: Promise<Exit>;
};

/** Takes the server's lock over a fresh PostgreSQL and makes database `rendio`; ends it again when that fails. */
export async function supervise(
  launched: Launched,
  cluster: string,
  binaries: Binaries,
  log: Log,
): Promise<EmbeddedPostgres> {
  const { port, pid, exited } = launched;
  const end = () => halt(pid, exited, log, cluster, binaries);
  try {
    const guard = await holdGuard(await urlOf(cluster, port, 'postgres'), log, makeDatabase);
    void exited.then(guard.letGo);
    let stopping: Promise<void> | undefined;
    const stop = () => {
      guard.letGo();
      stopping ??= end();
      return stopping;
    };
    return { url: await urlOf(cluster, port, 'rendio'), pid, stop, exited };
  } catch (error) {
    await end();
    throw error;
  }
}

async function makeDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(`select from pg_database where datname = 'rendio'`);
  if (rowCount === 0) await client.query('create database rendio');
}
