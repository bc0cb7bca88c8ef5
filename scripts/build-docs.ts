/** Builds the page at `/docs`: our own files, built by Vite, and the reference UI, copied from its package. */
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../web/docs', import.meta.url));
/** The files of the package that browsers load, and their licences. */
const UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-ui-bundle.js.LICENSE.txt', 'LICENSE', 'NOTICE'];

/** Builds the page into `folder`, an absolute path. Needs Vite. */
export async function buildDocs(folder: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: PAGE,
    base: '/docs/',
    logLevel: 'warn',
    // Nothing inline: the page's content security policy allows own files only.
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
