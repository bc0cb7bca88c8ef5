import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartupError } from '../../kernel/startup-error.ts';
import { VIDEO_BYTES_MAX } from '../../media/object-path.ts';
import { tryDataDir } from '../data-dir.ts';
import { findDevelopmentSecrets } from '../development-secrets.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';

/** Below it, not even what is needed to work fits. */
const FREE_BYTES_MIN = 100 * 1024 * 1024;
/** A few of the largest videos at once. */
const FREE_BYTES_WANTED = 4 * VIDEO_BYTES_MAX;
const MB = 1024 * 1024;
const EVERYONE = 0o007;
const STICKY = 0o1000;

export const dataFolder: Check = {
  title: 'the data folder',
  variable: 'DATA_DIR',
  async run({ dataDir, config }) {
    try {
      await tryDataDir(dataDir);
      const { jwtPrivateKey, secretKey } = config.secrets;
      if (!jwtPrivateKey || !secretKey) await findDevelopmentSecrets(dataDir);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      return [wrong('DATA_DIR', `cannot be used`, error.message)];
    }
    const found = [...(await spaceIn(dataDir)), ...(await sharingOf(dataDir))];
    return found.length > 0 ? found : [fine('DATA_DIR', 'can be written to, and its disk has space')];
  },
};

async function spaceIn(dataDir: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(await nearest(dataDir));
  const free = bavail * bsize;
  if (free >= FREE_BYTES_WANTED) return [];
  const level = free < FREE_BYTES_MIN ? wrong : warning;
  return [
    level(
      'DATA_DIR',
      `is on a disk with ${Math.floor(free / MB)} MB left`,
      `A video may have ${VIDEO_BYTES_MAX / MB} MB while it is checked. Make space, or name a folder on another disk.`,
    ),
  ];
}

/** A start closes the folder to others, unless others use it as well. */
async function sharingOf(dataDir: string): Promise<Finding[]> {
  const found = await stat(dataDir).catch(() => null);
  if (!found || !(found.mode & STICKY) || !(found.mode & EVERYONE)) return [];
  return [
    warning(
      'DATA_DIR',
      'names a folder that everyone on this machine uses',
      'Name one of its own: it holds keys and videos.',
    ),
  ];
}

async function nearest(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? path : nearest(dirname(path));
}

/** The id of the key that signs access tokens, set or made by an earlier start. */
export async function findSigningKeyId({
  config,
  dataDir,
}: Pick<DoctorTools, 'config' | 'dataDir'>): Promise<string | null> {
  const found =
    config.secrets.jwtPrivateKey ?? (await findDevelopmentSecrets(dataDir).catch(() => null))?.jwtPrivateKey;
  return found?.reveal().kid ?? null;
}
