/** Serves the pages that `npm run prepare` has built into web/dist. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveStatic } from '@hono/node-server/serve-static';
import type { MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import type { Api } from '../http/api.ts';
import type { HttpEnv } from '../http/env.ts';

const DIST = fileURLToPath(new URL('../../web/dist/playground/', import.meta.url));
const BUILD = fileURLToPath(new URL('../../scripts/build-web.ts', import.meta.url));

/** Own files only, nothing inline; media and API calls go only to the page's own origin. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
  "font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** For files whose names change with their content. */
const CACHE_FOR_A_YEAR = 'public, max-age=31536000, immutable';
const NOT_BUILT = 'The page is not built. Install with development dependencies and run: npm run prepare\n';

/** The page at `/` and its files. A browser that has them cached only revalidates them, or sends no request. */
export function addPages(api: Api): void {
  api.get('/', page('no-cache'), etag(), files({ path: 'index.html' }));
  api.get('/playground/assets/*', page(CACHE_FOR_A_YEAR), files({ rewriteRequestPath: inDist }));
  api.get('/playground/*', page('no-cache'), etag(), files({ rewriteRequestPath: inDist }));
}

const inDist = (path: string) => path.replace(/^\/playground\//, '/');

/** Headers for files that exist; for a missing file, the API answers and sets the headers. */
function page(cacheControl: string): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (c.res.status >= 400) return;
    c.header('Content-Security-Policy', PAGE_CSP);
    c.header('Cache-Control', cacheControl);
  };
}

/** Serves the compressed copies that were built; if nothing is built yet, the first request builds it. */
function files(
  options: { path: string } | { rewriteRequestPath: (path: string) => string },
): MiddlewareHandler<HttpEnv> {
  let serve: MiddlewareHandler | undefined;
  return async (c, next) => {
    if (!serve && !(await isBuilt())) return c.text(NOT_BUILT, 503);
    serve ??= serveStatic({ root: DIST, precompressed: true, ...options });
    return serve(c, next);
  };
}

let building: Promise<unknown> | undefined;

async function isBuilt(): Promise<boolean> {
  if (existsSync(DIST)) return true;
  // The script does not exist in a production image, whose pages are built already.
  building ??= promisify(execFile)(process.execPath, [BUILD]).catch(() => {});
  await building;
  building = undefined;
  return existsSync(DIST);
}
