import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import type { Context } from '../../context.ts';
import { listDeliveries } from '../deliveries.ts';
import { replayDelivery } from '../replay-delivery.ts';
import { adminCallOf } from './admin-call.ts';
import { GET_DELIVERIES, REPLAY_DELIVERY } from './delivery-openapi.ts';
import { presentDelivery } from './present-delivery.ts';

export function deliveryRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
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
