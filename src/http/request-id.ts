import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from './env.ts';

const HEADER = 'X-Request-Id';
const ACCEPTABLE = /^[A-Za-z0-9._-]{8,128}$/;

/** Gives every request an id, the caller's own if it is well-formed, and returns it as `X-Request-Id`. */
export function requestId(newId: () => string): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header(HEADER) ?? '';
    const id = ACCEPTABLE.test(given) ? given : newId();
    c.set('requestId', id);
    await next();
    // After the handler, because it may return a new Response.
    c.header(HEADER, id);
  };
}
