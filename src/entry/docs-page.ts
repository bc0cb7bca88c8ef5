/** The API reference at `/docs`: its files, and the OpenAPI document with messages in the reader's language. */
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import type { MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import type { Api } from '../http/api.ts';
import { ERROR_STATUS, type ErrorCode } from '../kernel/errors.ts';
import { isLocale, LOCALES, type Locale } from '../kernel/locale.ts';
import { EXAMPLE_DETAILS } from '../kernel/messages/examples.ts';
import { GUIDANCE } from '../kernel/messages/guidance.ts';
import { messageFor } from '../kernel/messages/index.ts';
import { translateExamples } from './docs-page/translate-examples.ts';

export type DocsOptions = {
  /** Whether DeviceCheck is simulated, so that the page can onboard a guest with an invented device. */
  simulatesDeviceCheck: boolean;
};

const DIST = fileURLToPath(new URL('../../web/dist/docs/', import.meta.url));

/** Own files only, and no inline script. The reference UI writes style attributes, and shows images from responses. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const NOT_BUILT = 'The API reference is not built here. Run: npm run prepare (it needs the development dependencies).';

const YEAR_SECONDS = 31_536_000;

const pageHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  if (c.res.status >= 400) return;
  const isNamedByContent = c.req.path.startsWith('/docs/assets/');
  c.header('Content-Security-Policy', DOCS_CSP);
  c.header('Cache-Control', isNamedByContent ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
};

/** Serves the reference of `api`. All routes of `api` must be declared before. */
export function addDocs(api: Api, { simulatesDeviceCheck }: DocsOptions): void {
  let document: Promise<object> | undefined;
  const readDocument = () => {
    document ??= Promise.resolve(api.request('/openapi.json')).then(async (response) => ({
      ...(await response.json()),
      // The page may call only the server that it came from.
      servers: [{ url: '/', description: 'This server' }],
    }));
    return document;
  };

  api.get('/docs/', (c) => c.redirect('/docs', 301));
  api.get('/docs', pageHeaders, etag(), serveStatic({ root: DIST, path: 'index.html', precompressed: true }), (c) =>
    c.text(NOT_BUILT, 404),
  );
  api.get('/docs/openapi.json', pageHeaders, etag(), async (c) =>
    c.json(translateExamples(await readDocument(), localeOf(c.req.query('language'))) as object, 200),
  );
  api.get('/docs/settings.json', pageHeaders, etag(), (c) =>
    c.json(
      {
        languages: LOCALES,
        simulates_device_check: simulatesDeviceCheck,
        errors: errorsIn(localeOf(c.req.query('language'))),
      },
      200,
    ),
  );
  api.get(
    '/docs/*',
    pageHeaders,
    etag(),
    serveStatic({ root: DIST, precompressed: true, rewriteRequestPath: (path) => path.replace(/^\/docs\//, '/') }),
  );
}

function localeOf(language: string | undefined): Locale {
  return isLocale(language) ? language : 'en';
}

/** Every code with its statuses, its message in this language, and what a client should do. */
function errorsIn(locale: Locale) {
  return (Object.keys(ERROR_STATUS) as ErrorCode[]).map((code) => {
    const { name, advice, alsoStatus, jobsOnly } = GUIDANCE[code];
    const statuses = jobsOnly ? [] : [ERROR_STATUS[code], ...(alsoStatus ? [alsoStatus] : [])];
    return { code, name, advice, statuses, message: messageFor(code, locale, EXAMPLE_DETAILS[code]) };
  });
}
