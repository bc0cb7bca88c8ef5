/**
 * `npm run package`, which `npm pack` runs: makes the server's package in dist/package. Node does not strip types under
 * node_modules, so they are stripped here, file by file; all folders keep their places, so relative paths stay right.
 * `npm run package -- --production` makes it in dist/production, without what is for development alone.
 */
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, normalize, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildWeb } from './build-web.ts';
import { packageManifest } from './package-manifest.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** What the package holds. Sources become JavaScript, everything else is copied. */
const CONTENT = [
  'src/**',
  'client/src/**',
  'sim/**',
  'db/{indexes,migrations,procedures,seed}/**',
  'db/*.sql',
  'assets/fonts/*',
  'web/dist/{playground,docs}/**',
  '.env.example',
  'LICENSE',
  'NOTICE',
];
/** The other door, which runs on Deno from the sources; and a program that draws the simulators' videos. */
const LEFT_OUT = ['src/entry/deno.ts', 'src/entry/door/**', 'sim/assets/render.ts', 'db/schema.sql'];

/** For development alone: the simulators, and the demo, which calls them. */
const LEFT_OUT_OF_PRODUCTION = ['sim/**', 'client/**', 'src/entry/demo.ts', 'src/entry/demo/**'];

/** The repository's commands in messages, and what they are in the package. */
const COMMANDS: [RegExp, string][] = [
  [/\bnpm run (worker|admin|demo|doctor)( --)?(?![\w-])/g, 'npx rendio $1'],
  [/\bnpm start\b/g, 'npx rendio'],
];

/** A specifier or a path in quotes that begins with a dot and ends with .ts. */
const RELATIVE_SOURCE = /(['"])(\.{1,2}\/[^'"\n]+)\.ts\1/g;

/** Builds the pages and writes the folder; returns its path. Throws where a file of the package needs one that is not in it. */
export async function packServer({ isProduction = false } = {}): Promise<string> {
  const folder = join(ROOT, 'dist', isProduction ? 'production' : 'package');
  const line = await buildWeb();
  if (!existsSync(join(ROOT, 'web/dist/playground/index.html'))) throw new Error(line);
  rmSync(folder, { recursive: true, force: true });
  for (const file of contentFiles(isProduction)) {
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) writeFileSync(target, toJavaScript(readFileSync(join(ROOT, file), 'utf8')));
    else cpSync(join(ROOT, file), target);
  }
  const { manifest, lock } = packageManifest(ROOT, { isProduction });
  writeJson(join(folder, 'package.json'), manifest);
  // `npm pack` leaves it out: it is for installations from this folder, such as the image's.
  writeJson(join(folder, 'package-lock.json'), lock);
  cpSync(join(ROOT, 'docs/package.md'), join(folder, 'README.md'));
  chmodSync(join(folder, 'src/entry/rendio.js'), 0o755);
  const missing = missingFiles(folder, isProduction ? ['scripts/', 'sim/'] : ['scripts/']);
  if (missing.length > 0) throw new Error(`the package lacks files that it imports:\n${missing.join('\n')}`);
  return folder;
}

function contentFiles(isProduction: boolean): string[] {
  const exclude = isProduction ? [...LEFT_OUT, ...LEFT_OUT_OF_PRODUCTION] : LEFT_OUT;
  return globSync(CONTENT, { cwd: ROOT, exclude, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(normalize(ROOT).length))
    .sort();
}

/** Types become white space, so that lines and columns in stacks are those of the sources. */
export function toJavaScript(source: string): string {
  let code = stripTypeScriptTypes(source, { mode: 'strip' }).replace(RELATIVE_SOURCE, '$1$2.js$1');
  for (const [pattern, replacement] of COMMANDS) code = code.replace(pattern, replacement);
  return code;
}

/**
 * Relative imports of the package that lead to no file in it. `scripts/` is for checkouts, whose pages may not be built, and
 * `sim/` for development. Scripts of the simulators' pages are loaded by browsers.
 */
function missingFiles(folder: string, notNeeded: string[]): string[] {
  return globSync('{src,client,sim}/**/*.js', { cwd: folder, exclude: ['sim/**/page/*'] }).flatMap((file) => {
    const code = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    const specifiers = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)['"](\.{1,2}\/[^'"\n]+\.js)['"]/g);
    return [...specifiers]
      .map(([, specifier = '']) => posix.join(posix.dirname(file.replaceAll('\\', '/')), specifier))
      .filter((target) => !notNeeded.some((start) => target.startsWith(start)) && !existsSync(join(folder, target)))
      .map((target) => `${file} → ${target}`);
  });
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await packServer({ isProduction: process.argv.includes('--production') }));
}
