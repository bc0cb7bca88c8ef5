/** Bundles libraries of many small modules for a test run: loading them is half of what it costs to start a process. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** As they are imported. One build of all of them: what they share must stay one module. */
const LIBRARIES = [
  '@hono/zod-openapi',
  'hono',
  'hono/combine',
  'hono/cors',
  'hono/etag',
  'hono/http-exception',
  'hono/route',
  'jose',
  'kysely',
  'zod',
];
const HOOK = 'hook.mjs';

/** The path of a module for node's `--import`; with it a process loads the bundles instead. Made once per lockfile. */
export async function bundleLibraries(cacheFolder: string): Promise<string> {
  const folder = join(resolve(cacheFolder), stamp());
  const hook = join(folder, HOOK);
  if (existsSync(hook)) return hook;
  mkdirSync(cacheFolder, { recursive: true });
  const made = mkdtempSync(join(resolve(cacheFolder), '.new-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true, resolve: { conditions: ['node', 'import'] } },
    build: {
      ssr: true,
      outDir: made,
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(LIBRARIES.map((name) => [fileNameOf(name), name])),
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
  writeFileSync(join(made, HOOK), hookSource());
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    // Another run was faster.
    if (!existsSync(hook)) throw error;
  }
  return hook;
}

function hookSource(): string {
  const files = LIBRARIES.map((name) => [name, `./${fileNameOf(name)}.mjs`]);
  return `import { registerHooks } from 'node:module';
const files = new Map(${JSON.stringify(files)});
registerHooks({
  resolve(specifier, context, next) {
    const file = files.get(specifier);
    return file ? { url: new URL(file, import.meta.url).href, format: 'module', shortCircuit: true } : next(specifier, context);
  },
});
`;
}

function fileNameOf(library: string): string {
  return library.replaceAll('/', '_');
}

function stamp(): string {
  const sources = [fileURLToPath(import.meta.url), fileURLToPath(new URL('../package-lock.json', import.meta.url))];
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  return hash.digest('hex').slice(0, 16);
}
