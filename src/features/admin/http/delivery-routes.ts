import { replayable } from '../../../http/replay.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { listDeliveries } from '../deliveries.ts';
import { replayDelivery } from '../replay-delivery.ts';
import { adminCallOf } from './admin-call.ts';
import { GET_DELIVERIES, REPLAY_DELIVERY } from './delivery-openapi.ts';
import { presentDelivery } from './present-delivery.ts';
import { afterSeqOf, nextCursorOf } from './seq-cursor.ts';

export function deliveryRoutes(router: Router, ctx: Pick<Context, 'db'>): void {
  router.add(GET_DELIVERIES, async (c) => {
    const { limit, cursor, ...filters } = c.req.valid('query');
    const { user_id: userId, ...filter } = filters;
    const afterSeq = await afterSeqOf('deliveries', filters, cursor);
    const page = await listDeliveries(ctx, { ...filter, userId }, { limit, afterSeq });
    const nextCursor = await nextCursorOf('deliveries', filters, page.nextSeq);
    return c.json({ deliveries: page.deliveries.map(presentDelivery), next_cursor: nextCursor }, 200);
  });

  router.add(REPLAY_DELIVERY, async (c) =>
    replayable(c, await replayDelivery(ctx, adminCallOf(c), c.req.valid('json'))),
  );
}
