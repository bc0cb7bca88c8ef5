import type { MiddlewareHandler } from 'hono';

export type SecurityHeadersOptions = {
  /** True where the server is reached over https alone: browsers are then told to stay there. */
  isHttpsOnly: boolean;
  /** The Content-Security-Policy of what is answered; the default is right for JSON, pages bring their own. */
  csp?: string;
};

const API_CSP = "default-src 'none'; frame-ancestors 'none'";
/** One year, in seconds. */
const HSTS = 'max-age=31536000';

/** Adds the headers that keep browsers careful. What an inner middleware or handler has set already stays. */
export function securityHeaders({ isHttpsOnly, csp = API_CSP }: SecurityHeadersOptions): MiddlewareHandler {
  const defaults: [string, string][] = [
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ['Content-Security-Policy', csp],
    // Answers hold balances and tokens; what may be cached says so itself.
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
