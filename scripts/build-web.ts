/**
 * `prepare`: builds the web pages into web/dist, with compressed copies beside each file. Without Vite (in a production
 * installation) it says so and does nothing. Pages that are built from the same sources already are not built again.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { buildDocs } from './build-docs.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DIST = join(ROOT, 'web/dist');
/** The sources of the pages. */
const SOURCES = [
  'web/*.{ts,json}',
  'web/{playground,shared,docs}/**',
  'client/src/**',
  'package-lock.json',
  'scripts/build-*.ts',
];
/** Compression saves nothing in smaller files. */
const COMPRESS_FROM_BYTES = 512;

/** More than the builds that run at the same time: each test file may start one. */
const REPLACE_TRIES_MAX = 10;

/** Builds the pages if they are out of date; resolves with one line about what was done. */
export async function buildWeb(): Promise<string> {
  const stamp = stampOf(SOURCES);
  if (isBuilt(stamp)) return 'The web pages are up to date.';
  if (!isInstalled('vite'))
    return 'The web pages are not built here: Vite is not installed (npm install --include=dev).';
  const startedAt = performance.now();
  // In a folder beside web/dist, which is renamed at the end: a server or another build may be running.
  const folder = mkdtempSync(join(ROOT, 'web/.dist-'));
  try {
    const { build } = await import('vite');
    await build({
      configFile: join(ROOT, 'web/vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: join(folder, 'playground'), emptyOutDir: true },
    });
    await buildDocs(join(folder, 'docs'));
    compress(folder);
    writeFileSync(join(folder, '.stamp'), stamp);
    // Only its owner can read a temporary folder.
    chmodSync(folder, 0o755);
    replace(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `Built the web pages in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

function isBuilt(stamp: string): boolean {
  const file = join(DIST, '.stamp');
  return existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

function stampOf(patterns: string[]): string {
  const hash = createHash('sha256');
  for (const name of globSync(patterns, { cwd: ROOT }).sort()) {
    if (statSync(join(ROOT, name)).isFile()) hash.update(`${name}\n`).update(readFileSync(join(ROOT, name)));
  }
  return hash.digest('hex');
}

/** Writes a `.br` and a `.gz` copy of each text file, so that the server does not have to compress it. */
function compress(folder: string): void {
  for (const name of globSync('**/*.{html,js,css,svg,json}', { cwd: folder })) {
    const file = join(folder, name);
    const content = readFileSync(file);
    if (content.length < COMPRESS_FROM_BYTES || existsSync(`${file}.br`)) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
    writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
  }
}

/** Two renames, so that no request gets half a build. Another build may do the same at this moment; the later one wins. */
function replace(folder: string): void {
  const old = `${folder}-old`;
  for (let tries = 1; ; tries += 1) {
    try {
      if (existsSync(DIST)) renameSync(DIST, old);
      renameSync(folder, DIST);
      return;
    } catch (error) {
      if (tries === REPLACE_TRIES_MAX) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await buildWeb());
