/** The simulated App Store's page for developers, and the calls with which a page of this server buys. */
import { Hono } from 'hono';
import type { AppStoreSimulator } from '../app-store.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { addFiles, sameOrigin } from '../page/serve-page.ts';
import { appStoreControlRoutes } from './controls.ts';
import { shopRoutes } from './shop.ts';

const FILES = {
  '/store': new URL('page/store.html', import.meta.url),
  '/store.css': new URL('page/store.css', import.meta.url),
  '/store.js': new URL('page/store.js', import.meta.url),
};

/** The pages below `/dev/apple`. */
export function appStorePages(simulator: AppStoreSimulator): Hono<SimulatorEnv> {
  const pages = new Hono<SimulatorEnv>().basePath('/dev/apple');
  addFiles(pages, FILES);
  pages.use('/store/*', sameOrigin);
  pages.route('/store/control', appStoreControlRoutes(simulator));
  pages.route('/store', shopRoutes(simulator));
  return pages;
}
