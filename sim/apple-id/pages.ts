/** The page at which people sign in with the simulated Apple, which is its control panel as well. */
import { readFile } from 'node:fs/promises';
import { Hono, type MiddlewareHandler } from 'hono';
import type { AppleIdSimulator } from '../apple-id.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { appleIdControlRoutes } from './controls.ts';

/** Own files only, nothing inline, in no frame. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; " +
  "frame-ancestors 'none'";

const FILES = {
  '/authorize': { name: 'authorize.html', type: 'text/html; charset=utf-8' },
  '/authorize.css': { name: 'authorize.css', type: 'text/css; charset=utf-8' },
  '/authorize.js': { name: 'authorize.js', type: 'text/javascript; charset=utf-8' },
};

/** The pages below `/dev/apple`. */
export function appleIdPages(simulator: AppleIdSimulator): Hono<SimulatorEnv> {
  const pages = new Hono<SimulatorEnv>().basePath('/dev/apple');
  for (const [path, { name, type }] of Object.entries(FILES)) {
    pages.get(path, async (c) => {
      c.header('Content-Security-Policy', PAGE_CSP);
      c.header('Content-Type', type);
      c.header('Cache-Control', 'no-cache');
      return c.body(await readFile(new URL(`page/${name}`, import.meta.url), 'utf8'));
    });
  }
  pages.use('/control/*', sameOrigin);
  pages.route('/control', appleIdControlRoutes(simulator));
  return pages;
}

/** In development the API answers any website; what signs people in does not. Scripts, which send neither header, may. */
const sameOrigin: MiddlewareHandler = async (c, next) => {
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const isOwn = site === undefined ? origin === undefined || isHost(origin, c.req.url) : OWN_SITES.includes(site);
  return isOwn ? next() : c.json({ error: 'only the page of this server may do this' }, 403);
};

/** `none`: typed into the address bar. */
const OWN_SITES = ['same-origin', 'none'];

function isHost(origin: string, url: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host;
}
