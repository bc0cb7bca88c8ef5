/** The page at `/docs`: our own part of it, built by Vite, around the reference UI as its package brings it. */
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../web/docs', import.meta.url));
/** What a browser loads of the package, and the licences that go with it. */
const UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-ui-bundle.js.LICENSE.txt', 'LICENSE', 'NOTICE'];

/** Builds the page into `folder`, an absolute path. Needs Vite. */
export async function buildDocs(folder: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: PAGE,
    base: '/docs/',
    logLevel: 'warn',
    // Nothing inline: the page's policy admits own files only.
    build: {
      outDir: folder,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: 'es2022',
      cssTarget: 'safari16',
    },
  });
  const source = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  for (const name of UI_FILES) copyFileSync(join(source, name), join(folder, name));
}
