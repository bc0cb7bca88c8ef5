import type { z } from '@hono/zod-openapi';
import type { ListedDelivery } from '../deliveries.ts';
import type { Deliveries } from './schemas.ts';

/** A delivery as administrators see it. */
export function presentDelivery(delivery: ListedDelivery): z.output<typeof Deliveries>['deliveries'][number] {
  const { created_at, last_attempt_at, next_attempt_at, delivered_at, ...rest } = delivery;
  return {
    ...rest,
    created_at: created_at.toISOString(),
    last_attempt_at: last_attempt_at?.toISOString() ?? null,
    next_attempt_at: next_attempt_at?.toISOString() ?? null,
    delivered_at: delivered_at?.toISOString() ?? null,
  };
}
