/** The pages of simulators: files as they are, and what answers them alone. */
import { readFile } from 'node:fs/promises';
import type { Hono, MiddlewareHandler } from 'hono';
import type { SimulatorEnv } from '../drop-connection.ts';

/** Own files only, nothing inline, in no frame. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; " +
  "frame-ancestors 'none'";

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Each path with its file. What all pages share lies beside them. */
export function addFiles(pages: Hono<SimulatorEnv>, files: Record<string, URL>): void {
  const shared = {
    '/panel.css': new URL('panel.css', import.meta.url),
    '/panel.js': new URL('panel.js', import.meta.url),
  };
  for (const [path, file] of Object.entries({ ...files, ...shared })) {
    pages.get(path, async (c) => {
      c.header('Content-Security-Policy', PAGE_CSP);
      c.header('Content-Type', TYPES[file.pathname.split('.').at(-1) ?? '']);
      c.header('Cache-Control', 'no-cache');
      return c.body(await readFile(file, 'utf8'));
    });
  }
}

/** In development the API answers any website; a simulator's page does not. Scripts, which send neither header, may ask. */
export const sameOrigin: MiddlewareHandler = async (c, next) => {
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
