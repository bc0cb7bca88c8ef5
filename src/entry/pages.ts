import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import type { MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import type { Api } from '../http/api.ts';

const PLAYGROUND = fileURLToPath(new URL('../../web/playground/', import.meta.url));

/** Own files only, inline nothing; media and API calls go back to where the page came from. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; " +
  "font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const pageHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('Content-Security-Policy', PAGE_CSP);
  c.header('Cache-Control', 'no-cache');
};

/** The page at `/` and its files; a browser that has them asks only whether they still hold. */
export function addPages(api: Api): void {
  api.get('/', pageHeaders, etag(), serveStatic({ root: PLAYGROUND, path: 'index.html' }));
  api.get(
    '/playground/*',
    pageHeaders,
    etag(),
    serveStatic({ root: PLAYGROUND, rewriteRequestPath: (path) => path.replace(/^\/playground\//, '/') }),
  );
}
