import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { urlOf } from '../../src/embedded-postgres/cluster.ts';

/** The pid of the PostgreSQL on a server's data folder; null if none runs. */
export async function postgresPid(dataDir: string): Promise<number | null> {
  return Number((await pidFile(dataDir))[0]) || null;
}

/** The owner's connection to the database of a running server. */
export async function connectTo(dataDir: string): Promise<pg.Client> {
  const port = Number((await pidFile(dataDir))[3]);
  const client = new pg.Client(await urlOf(join(dataDir, 'postgres'), port, 'rendio'));
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function pidFile(dataDir: string): Promise<string[]> {
  return (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}
