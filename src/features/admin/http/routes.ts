import { administratorOf } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { openAdminSession } from '../open-session.ts';
import { changeRoutes } from './change-routes.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { END_SESSION, GET_SESSION, OPEN_SESSION } from './openapi.ts';
import { pauseRoutes } from './pause-routes.ts';
import { readRoutes } from './read-routes.ts';
import { reportRoutes } from './report-routes.ts';

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

  changeRoutes(router, ctx);
  deliveryRoutes(router, ctx);
  pauseRoutes(router, ctx);
  readRoutes(router, ctx);
  reportRoutes(router, ctx);
}
