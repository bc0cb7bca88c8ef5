import { sql } from 'kysely';
import type { Context } from '../context.ts';

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export const DELIVERY_TYPES = [
  'video.completed',
  'video.failed',
  'credits.changed',
  'purchase.completed',
  'purchase.refunded',
  'account.merged',
  'account.deleted',
] as const;

export type DeliveryFilter = {
  state?: (typeof DELIVERY_STATES)[number] | undefined;
  type?: (typeof DELIVERY_TYPES)[number] | undefined;
  userId?: string | undefined;
};

export type ListedDelivery = {
  id: string;
  user_id: string;
  type: (typeof DELIVERY_TYPES)[number];
  state: (typeof DELIVERY_STATES)[number];
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  data: Record<string, unknown>;
  created_at: Date;
  last_attempt_at: Date | null;
  next_attempt_at: Date | null;
  delivered_at: Date | null;
};
type Row = ListedDelivery & { seq: number };

const COLUMNS = sql`id, seq, user_id, type, state, attempts, last_status, last_error, payload as data, created_at,
  last_attempt_at, next_attempt_at, delivered_at`;

/** Lists outgoing webhooks, newest first. `nextSeq` leads to the next page; every page costs the same. */
export async function listDeliveries(
  ctx: Pick<Context, 'db'>,
  filter: DeliveryFilter,
  { limit, afterSeq }: { limit: number; afterSeq: number | null },
): Promise<{ deliveries: ListedDelivery[]; nextSeq: number | null }> {
  const before = afterSeq === null ? sql`true` : sql`seq < ${afterSeq}`;
  const query = filter.userId ? ofUser(filter, filter.userId, before, limit + 1) : ofAll(filter, before, limit + 1);
  const { rows } = await query.execute(ctx.db.read);
  const page = rows.slice(0, limit);
  return {
    deliveries: page.map(({ seq: _, ...row }) => row),
    nextSeq: rows.length > limit ? (page.at(-1)?.seq ?? null) : null,
  };
}

type Condition = ReturnType<typeof sql>;

/** The index has each combination of state and type in order; of those asked for, the newest of each are merged. */
function ofAll({ state, type }: DeliveryFilter, before: Condition, rows: number) {
  const [states, types] = [state ? [state] : DELIVERY_STATES, type ? [type] : DELIVERY_TYPES];
  return sql<Row>`
    select found.*
    from unnest(${states}::text[]) as s, unnest(${types}::text[]) as t,
      lateral (
        select ${COLUMNS} from webhook_deliveries
        where state = s and type = t and ${before}
        order by seq desc limit ${rows}
      ) found
    order by seq desc limit ${rows}`;
}

function ofUser({ state, type }: DeliveryFilter, userId: string, before: Condition, rows: number) {
  return sql<Row>`
    select ${COLUMNS} from webhook_deliveries
    where user_id = ${userId} and ${before}
      and ${state ? sql`state = ${state}` : sql`true`} and ${type ? sql`type = ${type}` : sql`true`}
    order by seq desc limit ${rows}`;
}
