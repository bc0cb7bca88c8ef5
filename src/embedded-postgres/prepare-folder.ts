import { access, chmod, constants, open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf, errorLabel } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { makeFolder } from '../platform/make-folder.ts';
import type { Binaries } from './binaries.ts';
import { createCluster } from './create-cluster.ts';

/** Creates the data folder and the cluster in it if they are missing; returns real paths. */
export async function prepareFolder(
  dataDir: string,
  binaries: Binaries,
): Promise<{ cluster: string; logFile: string }> {
  try {
    await makeFolder(dataDir);
    const folder = await realpath(dataDir);
    await access(folder, constants.W_OK);
    const cluster = join(folder, 'postgres');
    if (!(await exists(join(cluster, 'PG_VERSION')))) await createCluster(cluster, binaries);
    await access(cluster, constants.W_OK);
    // A copy or a restored backup may be readable by other users, which PostgreSQL refuses.
    if ((await stat(cluster)).mode & 0o027) await chmod(cluster, 0o700);
    const logFile = join(folder, 'postgres.log');
    await (await open(logFile, 'a', 0o600)).close();
    return { cluster, logFile };
  } catch (cause) {
    if (cause instanceof StartupError) throw cause;
    const advice = 'give this user the right to, or set DATA_DIR to another folder';
    throw new StartupError(`The data folder ${dataDir} cannot be written (${errorLabel(cause)}): ${advice}.`, {
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
