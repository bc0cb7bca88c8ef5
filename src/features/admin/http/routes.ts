import { administratorOf } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { HttpContext } from '../../../http/env.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import type { AdminCall } from '../change.ts';
import { openAdminSession } from '../open-session.ts';
import { refundCredits } from '../refund-credits.ts';
import { END_SESSION, GET_SESSION, OPEN_SESSION, REFUND_CREDITS } from './openapi.ts';
import { readRoutes } from './read-routes.ts';

const FIVE_MINUTES_SECONDS = 300;

export function adminRoutes(router: Router, ctx: Context, ipOf: IpReader): void {
  router.add(OPEN_SESSION, async (c) => {
    const window = { limit: ctx.policy.limits.authPer5Minutes, windowSeconds: FIVE_MINUTES_SECONDS };
    await takeIpSlot(c, ctx.db, { policy: 'auth', ip: ipOf(c), ...window });
    const { accessToken, expiresAt, email } = await openAdminSession(ctx, c.req.valid('json').token);
    const session = { access_token: accessToken, token_type: 'bearer' as const, email };
    return c.json({ ...session, expires_at: expiresAt.toISOString() }, 200);
  });

  router.add(GET_SESSION, (c) => {
    const { email, expiresAt } = administratorOf(c);
    return c.json({ email, expires_at: expiresAt.toISOString() }, 200);
  });

  router.add(END_SESSION, async (c) => {
    await ctx.db.call('end_admin_session', { session_id: administratorOf(c).sessionId });
    return c.json({ success: true as const }, 200);
  });

  router.add(REFUND_CREDITS, async (c) => replayable(c, await refundCredits(ctx, adminCallOf(c), c.req.valid('json'))));
  readRoutes(router, ctx);
}

/** Who asks for a change, and under which key. */
export function adminCallOf(c: HttpContext): AdminCall {
  return { administrator: administratorOf(c), idempotencyKey: readIdempotencyKey(c) };
}
