import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import { isAlive } from '../platform/process-ids.ts';
import { chooseAccount } from './account.ts';
import type { Binaries } from './binaries.ts';
import { OWNER, PASSWORD_FILE } from './cluster.ts';
import { run } from './run.ts';

/** initdb takes seconds. The pid in the folder's name is not enough, because a container uses the same pids again. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/**
 * Creates the cluster with a random password for its owner, in a temporary folder that is then renamed: a crash half way
 * leaves nothing that looks like data, and of two servers that race, one wins and the other uses the winner's cluster.
 */
export async function createCluster(cluster: string, binaries: Binaries): Promise<void> {
  await removeAbandoned(cluster);
  const work = `${cluster}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(work, { mode: 0o700 });
  try {
    const account = await chooseAccount(binaries.postgres, work);
    const password = join(work, 'password');
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (account.owner) await chown(password, account.owner.uid, account.owner.gid);
    const fresh = join(work, 'cluster');
    const created = await run(
      account,
      [binaries.initdb, '-D', fresh, ...(await initdbArguments(binaries, work, password))],
      work,
    );
    if (!created.ok) {
      throw new StartupError(
        `PostgreSQL could not create its data in ${cluster} (DATA_DIR): ${reasonIn(created.output)}`,
      );
    }
    await rename(password, join(fresh, PASSWORD_FILE));
    await moveIntoPlace(fresh, cluster);
    // initdb ran with --no-sync; this flushes its files to the disk in the background.
    void run(account, [binaries.initdb, '--sync-only', '-D', cluster], dirname(cluster));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function initdbArguments(binaries: Binaries, work: string, password: string): Promise<string[]> {
  // The built-in provider sorts in the same way on every machine; before version 17 there is only the C library's.
  const builtin = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const locale = (await majorOf(binaries, work)) >= 17 ? builtin : ['--locale=C.UTF-8', '--lc-messages=C'];
  const access = ['--username', OWNER, '--pwfile', password, '--auth', 'scram-sha-256'];
  return [...locale, ...access, '--encoding', 'UTF8', '--no-sync', '--no-instructions'];
}

/** The major version of the binaries, such as 18. */
export async function majorOf(binaries: Binaries, folder: string): Promise<number> {
  const { output } = await run({ prefix: [], user: {} }, [binaries.postgres, '--version'], folder);
  return Number(/\d+/.exec(output)?.[0] ?? 0);
}

async function moveIntoPlace(fresh: string, cluster: string): Promise<void> {
  try {
    await rename(fresh, cluster);
  } catch (cause) {
    const isCluster = await access(join(cluster, 'PG_VERSION')).then(
      () => true,
      () => false,
    );
    if (isCluster) return;
    throw new StartupError(
      `The folder ${cluster} is in the way and is no data of PostgreSQL: move it away, or set DATA_DIR to another folder.`,
      {
        cause,
      },
    );
  }
}

/** Removes the folders that servers left behind when they died while creating a cluster. */
async function removeAbandoned(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(cluster)}.new-`)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => undefined);
    const isOld = found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS;
    if (isOld || !isAlive(Number(name.split('-').at(-2)))) await rm(path, { recursive: true, force: true });
  }
}

/** initdb ends with what it removes; the reason is above that. */
function reasonIn(output: string): string {
  const lines = output.trim().split('\n');
  return (lines.find((line) => /error:|FATAL:|No space left/.test(line)) ?? lines.at(-1) ?? '').trim();
}
