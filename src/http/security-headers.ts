import type { MiddlewareHandler } from 'hono';

export type SecurityHeadersOptions = {
  /** Whether the server is reachable over https only; browsers are then told to use nothing else (HSTS). */
  isHttpsOnly: boolean;
  /** The Content-Security-Policy of responses. The default suits JSON; HTML pages pass their own. */
  csp?: string;
};

const API_CSP = "default-src 'none'; frame-ancestors 'none'";
/** One year, in seconds. */
const HSTS = 'max-age=31536000';

/** Adds browser security headers. Headers that an inner middleware or handler has set are kept. */
export function securityHeaders({ isHttpsOnly, csp = API_CSP }: SecurityHeadersOptions): MiddlewareHandler {
  const defaults: [string, string][] = [
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ['Content-Security-Policy', csp],
    // Responses contain balances and tokens. A route that allows caching sets its own header.
    ['Cache-Control', 'no-store'],
    ...(isHttpsOnly ? [['Strict-Transport-Security', HSTS] as [string, string]] : []),
  ];
  return async (c, next) => {
    await next();
    for (const [name, value] of defaults) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  };
}
