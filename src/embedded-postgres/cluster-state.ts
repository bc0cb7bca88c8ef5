import { realpath } from 'node:fs/promises';
import pg from 'pg';
import { isAlive } from '../platform/process-ids.ts';
import { urlOf } from './cluster.ts';
import { isPostgresOf, readPidFile } from './pid-file.ts';

/**
 * Which process uses the cluster: none (`free`; `ignorePid` is a stale pid that another program has now), a PostgreSQL that
 * is starting or stopping (`changing`), another server (`served`), a server that has not taken its lock yet (`claimed`), or
 * a PostgreSQL whose server has ended (`orphan`).
 */
export type ClusterState =
  | { is: 'free'; ignorePid?: number }
  | { is: 'changing' | 'served' }
  | { is: 'claimed' | 'orphan'; pid: number };

/** The session advisory lock, in database `postgres`, that a server holds while it runs: "rendio" in ASCII. */
export const SERVER_LOCK = 0x72656e64696f;

/** The setting that carries the pid of the server that started this PostgreSQL. */
export const OWNER_SETTING = 'rendio.owner_pid';

/** A PostgreSQL that is shutting down may accept a connection and never answer. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Returns the current state of the cluster. */
export async function clusterStateOf(cluster: string): Promise<ClusterState> {
  const file = await readPidFile(cluster);
  if (!file || !isAlive(file.pid)) return { is: 'free' };
  // Checked before connecting: another program may listen on the port now, and must not receive the password.
  if (!(await isPostgresOf(cluster, file.pid))) return { is: 'free', ignorePid: file.pid };
  const answer = file.port ? await askForOwner(cluster, file.port) : 'silent';
  if (answer === 'silent') return { is: 'changing' };
  if (answer === 'locked') return { is: 'served' };
  return { is: isAlive(answer.owner) ? 'claimed' : 'orphan', pid: file.pid };
}

/** Asks the PostgreSQL on that port for its server's pid. `silent`: it is not up, or it serves other data. */
async function askForOwner(cluster: string, port: number): Promise<'locked' | 'silent' | { owner: number }> {
  const connectionString = await urlOf(cluster, port, 'postgres');
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; owner: string | null; free: boolean }>(
      `select current_setting('data_directory') as folder,
              current_setting('${OWNER_SETTING}', true) as owner,
              pg_try_advisory_lock($1) as free`,
      [SERVER_LOCK],
    );
    const row = rows[0];
    if (!row || (await realpath(row.folder).catch(() => '')) !== cluster) return 'silent';
    // Without an owner, it was started by hand to maintain the data, and has to be stopped by hand.
    return row.free && row.owner ? { owner: Number(row.owner) } : 'locked';
  } catch {
    return 'silent';
  } finally {
    await client.end().catch(() => {});
  }
}
