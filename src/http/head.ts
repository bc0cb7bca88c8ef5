import type { MiddlewareHandler } from 'hono';

/**
 * A HEAD is answered by the route of its GET, and the body is not sent. A body that nothing reads would keep what is behind it
 * open: a file, a request to a store, a subscription.
 */
export const cancelUnsentBody: MiddlewareHandler = async (c, next) => {
  await next();
  if (c.req.method === 'HEAD') await c.res.body?.cancel();
};
