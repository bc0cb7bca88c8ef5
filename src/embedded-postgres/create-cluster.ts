import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import { isAlive } from '../platform/process-ids.ts';
import { chooseAccount } from './account.ts';
import type { Binaries } from './binaries.ts';
import { OWNER, PASSWORD_FILE } from './cluster.ts';
import { run } from './run.ts';

/** initdb takes seconds; the maker's pid alone does not tell, because a container gives the same ones again. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/**
 * Makes the cluster with a random password of its owner. It is made aside and moved into place whole: a crash half way
 * leaves nothing behind that looks like data, and of two that race one wins and the other uses the winner's.
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
    const made = await run(account, [binaries.initdb, '-D', fresh, ...(await flags(binaries, work, password))], work);
    if (!made.ok) throw new StartupError(`PostgreSQL could not make its data in ${cluster}: ${lastLine(made.output)}`);
    await rename(password, join(fresh, PASSWORD_FILE));
    await moveInto(fresh, cluster);
    // initdb leaves the writing to the operating system; this makes sure of it while we go on.
    void run(account, [binaries.initdb, '--sync-only', '-D', cluster], dirname(cluster));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function flags(binaries: Binaries, work: string, password: string): Promise<string[]> {
  // The built-in provider sorts alike on every machine; before 17 there is only the C library's.
  const builtin = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const locale = (await majorOf(binaries, work)) >= 17 ? builtin : ['--locale=C.UTF-8', '--lc-messages=C'];
  const access = ['--username', OWNER, '--pwfile', password, '--auth', 'scram-sha-256'];
  return [...locale, ...access, '--encoding', 'UTF8', '--no-sync', '--no-instructions'];
}

/** The major version of the binaries, such as 18. */
export async function majorOf(binaries: Binaries, folder: string): Promise<number> {
  const { output } = await run({ before: [], as: {} }, [binaries.postgres, '--version'], folder);
  return Number(/\d+/.exec(output)?.[0] ?? 0);
}

async function moveInto(fresh: string, cluster: string): Promise<void> {
  try {
    await rename(fresh, cluster);
  } catch (cause) {
    const other = await access(join(cluster, 'PG_VERSION')).then(
      () => true,
      () => false,
    );
    if (other) return;
    throw new StartupError(`The folder ${cluster} is in the way and is no data of PostgreSQL: move it away.`, {
      cause,
    });
  }
}

/** Removes what servers that died in the middle of making a cluster left behind. */
async function removeAbandoned(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(cluster)}.new-`)) continue;
    const path = join(parent, name);
    const made = await stat(path).catch(() => undefined);
    const isOld = made !== undefined && Date.now() - made.mtimeMs > ABANDONED_AFTER_MS;
    if (isOld || !isAlive(Number(name.split('-').at(-2)))) await rm(path, { recursive: true, force: true });
  }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() ?? '';
}
