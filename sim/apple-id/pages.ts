/** The page at which people sign in with the simulated Apple, which is its control panel as well. */
import { Hono } from 'hono';
import type { AppleIdSimulator } from '../apple-id.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { addFiles, sameOrigin } from '../page/serve-page.ts';
import { appleIdControlRoutes } from './controls.ts';

const FILES = {
  '/authorize': new URL('page/authorize.html', import.meta.url),
  '/authorize.css': new URL('page/authorize.css', import.meta.url),
  '/authorize.js': new URL('page/authorize.js', import.meta.url),
};

/** The pages below `/dev/apple`. */
export function appleIdPages(simulator: AppleIdSimulator): Hono<SimulatorEnv> {
  const pages = new Hono<SimulatorEnv>().basePath('/dev/apple');
  addFiles(pages, FILES);
  pages.use('/control/*', sameOrigin);
  pages.route('/control', appleIdControlRoutes(simulator));
  return pages;
}
