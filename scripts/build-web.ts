/**
 * `prepare`: builds the web pages into web/dist, with a compressed copy beside each file. Without Vite (a production
 * installation) it says so and does nothing. What is built already, from the same sources, is not built again.
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
/** What the pages are made of. */
const SOURCES = [
  'web/*.{ts,json}',
  'web/{playground,shared,docs}/**',
  'client/src/**',
  'package-lock.json',
  'scripts/build-*.ts',
];
/** Smaller files do not gain by it. */
const COMPRESS_FROM_BYTES = 512;

/** Builds at the same time are few: each test file may begin one. */
const REPLACE_TRIES_MAX = 10;

/** Builds what is not up to date; resolves with what was done, in one line. */
export async function buildWeb(): Promise<string> {
  const stamp = stampOf(SOURCES);
  if (isBuilt(stamp)) return 'The web pages are up to date.';
  if (!isInstalled('vite'))
    return 'The web pages are not built here: Vite is not installed (npm install --include=dev).';
  const startedAt = performance.now();
  // Beside its place, so that it moves there in one step: a server or another build may be at work.
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
    // A temporary folder is its maker's alone.
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

/** A browser takes the `.br` or the `.gz` copy of a text; the server has nothing to compress. */
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

/** Two renames: no request meets half a build. Another build may do the same at this moment; the later one stays. */
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
