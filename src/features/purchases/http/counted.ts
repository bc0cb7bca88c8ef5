import type { MiddlewareHandler } from 'hono';
import { callerId } from '../../../http/caller.ts';
import type { HttpEnv } from '../../../http/env.ts';
import { rateLimited, setRateLimitHeaders } from '../../../http/rate-limit.ts';
import type { Context } from '../../context.ts';
import { takePurchaseSlot } from '../purchase-limit.ts';

/** Middleware that counts every call against the account's purchases, also one that is malformed. Throws ERR_4004 (429) beyond them. */
export function counted(ctx: Pick<Context, 'db' | 'policy'>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const slot = await takePurchaseSlot(ctx, callerId(c));
    if (!slot.isAllowed) throw rateLimited(slot);
    setRateLimitHeaders(c, slot);
    await next();
  };
}
