import { administratorOf } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { HttpContext } from '../../../http/env.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import type { Context } from '../../context.ts';
import type { AdminCall } from '../change.ts';
import { listDeliveries } from '../deliveries.ts';
import { openAdminSession } from '../open-session.ts';
import { refundCredits } from '../refund-credits.ts';
import { replayDelivery } from '../replay-delivery.ts';
import { END_SESSION, GET_DELIVERIES, GET_SESSION, OPEN_SESSION, REFUND_CREDITS, REPLAY_DELIVERY } from './openapi.ts';
import { presentDelivery } from './present-delivery.ts';

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

  router.add(GET_DELIVERIES, async (c) => {
    const { limit, cursor, user_id: userId, ...filter } = c.req.valid('query');
    const page = await listDeliveries(ctx, { ...filter, userId }, { limit, afterSeq: cursor });
    const nextCursor = page.nextSeq === null ? null : encodeCursor(page.nextSeq);
    return c.json({ deliveries: page.deliveries.map(presentDelivery), next_cursor: nextCursor }, 200);
  });

  router.add(REPLAY_DELIVERY, async (c) =>
    replayable(c, await replayDelivery(ctx, adminCallOf(c), c.req.valid('json'))),
  );
}

/** Who asks for a change, and under which key. */
export function adminCallOf(c: HttpContext): AdminCall {
  return { administrator: administratorOf(c), idempotencyKey: readIdempotencyKey(c) };
}
