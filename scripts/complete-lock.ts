/**
 * Adds to package-lock.json the platform companions that `npm install` leaves out when the registry at hand lacks
 * them, so that `npm ci` agrees with the manifest on every platform. Run it after each `npm install` that changes the lock.
 */
import { readFile, writeFile } from 'node:fs/promises';

type LockEntry = {
  version?: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
};
type Lock = { packages: Record<string, LockEntry> };

/** What a companion's name says about where it runs: `…-linux-arm64-musl` → linux, arm64, musl. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const [, os, cpu, abi] = /[-/](linux|darwin|win32|windows|android)-([a-z0-9]+)(?:-([a-z0-9]+))?$/.exec(name) ?? [];
  if (!os || !cpu) throw new Error(`cannot tell the platform of ${name}`);
  const libc = abi === 'musl' ? ['musl'] : abi === 'gnu' || abi === 'glibc' ? ['glibc'] : undefined;
  return { os: [os === 'windows' ? 'win32' : os], cpu: [cpu], ...(libc ? { libc } : {}) };
}

const file = new URL('../package-lock.json', import.meta.url);
const lock: Lock = JSON.parse(await readFile(file, 'utf8'));
const added: string[] = [];

for (const [owner, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!/^\d/.test(version)) continue;
    const shared = `node_modules/${name}`;
    const own = `${owner}/node_modules/${name}`;
    if (lock.packages[own] || lock.packages[shared]?.version === version) continue;
    // Another version for everybody else leaves this package its own.
    lock.packages[lock.packages[shared] ? own : shared] = { version, ...platformOf(name), optional: true };
    added.push(name);
  }
}

const names = Object.keys(lock.packages).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
lock.packages = Object.fromEntries(names.map((name) => [name, lock.packages[name] as LockEntry]));
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length ? `added ${added.join(', ')}` : 'the lock is complete');
