/**
 * Completes package-lock.json after `npm install`: adds the platform packages that npm leaves out when the registry at hand
 * lacks them, so that `npm ci` agrees with the manifests on every platform, and each missing `integrity` hash that the
 * registry knows. Lists the packages that stay without a hash.
 */
import { readFile, writeFile } from 'node:fs/promises';

type LockEntry = {
  version?: string;
  integrity?: string;
  link?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
};
type Lock = { packages: Record<string, LockEntry> };

const REGISTRY = process.env.npm_config_registry ?? 'https://registry.npmjs.org/';
const FETCH_TIMEOUT_MS = 30_000;

/** The platform that a package's name ends in: `…-linux-arm64-musl` → linux, arm64, musl. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const [, os, cpu, abi] = /[-/](linux|darwin|win32|windows|android)-([a-z0-9]+)(?:-([a-z0-9]+))?$/.exec(name) ?? [];
  if (!os || !cpu) throw new Error(`no platform in the name ${name}`);
  const libc = abi === 'musl' ? ['musl'] : abi === 'gnu' || abi === 'glibc' ? ['glibc'] : undefined;
  return { os: [os === 'windows' ? 'win32' : os], cpu: [cpu], ...(libc ? { libc } : {}) };
}

/** Adds the optional packages that the manifests name and the lock lacks; returns their names. */
function addMissing(lock: Lock): string[] {
  const added: string[] = [];
  for (const [owner, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!/^\d/.test(version)) continue;
      const shared = `node_modules/${name}`;
      const own = `${owner}/node_modules/${name}`;
      if (lock.packages[own] || lock.packages[shared]?.version === version) continue;
      // Where the shared folder holds another version, this package gets a folder of its own.
      lock.packages[lock.packages[shared] ? own : shared] = { version, ...platformOf(name), optional: true };
      added.push(name);
    }
  }
  return added;
}

/** The hash of a package's archive; undefined where the registry does not have this version. */
async function integrityOf(name: string, version: string): Promise<string | undefined> {
  const url = new URL(`${name.replace('/', '%2f')}/${version}`, REGISTRY);
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the registry answers ${response.status} for ${name}@${version}`);
  const manifest = await response.json();
  return manifest.dist?.integrity;
}

/** Adds the hashes that are missing; returns the packages that stay without one. */
async function addHashes(lock: Lock): Promise<string[]> {
  const unknown: string[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    const isPackage = path.includes('node_modules/') && !entry.link && entry.version !== undefined;
    if (!isPackage || entry.integrity) continue;
    const integrity = await integrityOf(name, entry.version ?? '');
    if (integrity) entry.integrity = integrity;
    else unknown.push(`${name}@${entry.version}`);
  }
  return unknown;
}

const file = new URL('../package-lock.json', import.meta.url);
const lock: Lock = JSON.parse(await readFile(file, 'utf8'));
const added = addMissing(lock);
const unknown = await addHashes(lock);
const names = Object.keys(lock.packages).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
lock.packages = Object.fromEntries(names.map((name) => [name, lock.packages[name] as LockEntry]));
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length > 0 ? `added ${added.join(', ')}` : 'the lock names every platform package');
if (unknown.length > 0) console.log(`no hash is known at this registry for ${unknown.join(', ')}`);
