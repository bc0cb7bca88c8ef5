import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';

/** The role that owns everything in the cluster. */
export const OWNER = 'postgres';

/** The file inside the cluster's folder with the owner's password, readable only by the owner of the data. */
export const PASSWORD_FILE = 'rendio.password';

/** The owner's connection string for one database. Without `sslmode`, the `PGSSLMODE` of the environment would apply. */
export async function urlOf(cluster: string, port: number, database: string): Promise<string> {
  const file = join(cluster, PASSWORD_FILE);
  try {
    const password = (await readFile(file, 'utf8')).trim();
    return `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
  } catch (cause) {
    throw new StartupError(`The database's password cannot be read from ${file}: restore that file.`, { cause });
  }
}
