import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';

/** The role that owns everything in the cluster. */
export const OWNER = 'postgres';

/** Where the owner's password lies inside the cluster's folder, readable by the owner of the data only. */
export const PASSWORD_FILE = 'rendio.password';

/** The owner's connection string for one database; says `sslmode`, or `PGSSLMODE` of the environment would. */
export async function urlOf(cluster: string, port: number, database: string): Promise<string> {
  const file = join(cluster, PASSWORD_FILE);
  try {
    const password = (await readFile(file, 'utf8')).trim();
    return `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
  } catch (cause) {
    throw new StartupError(`The database's password cannot be read from ${file}: restore that file.`, { cause });
  }
}
