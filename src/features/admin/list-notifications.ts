import { sql } from 'kysely';
import {
  compared,
  type List,
  type ListRequest,
  leading,
  lookup,
  type Page,
  readPage,
  textValue,
  uuidValue,
} from '../../db/list.ts';
import type { Context } from '../context.ts';

export type NotificationFilters = {
  notification_id?: string | undefined;
  transaction_id?: string | undefined;
  user_id?: string | undefined;
  type?: string | undefined;
  subtype?: string | undefined;
  store?: string | undefined;
  environment?: string | undefined;
  outcome?: string | undefined;
};

/** `outcome`: what has followed; null until the worker has processed it. */
export type ListedNotification = {
  notification_id: string;
  store: string;
  type: string;
  subtype: string | null;
  environment: string | null;
  transaction_id: string | null;
  user_id: string | null;
  outcome: string | null;
  signed_at: Date;
  received_at: Date;
  processed_at: Date | null;
};

const NOTIFICATIONS: List<NotificationFilters, ListedNotification> = {
  name: 'notifications',
  table: 'store_notifications',
  time: 'received_at',
  id: { column: 'seq', type: 'bigint' },
  columns: sql`t.notification_id, t.store, t.type, t.subtype, t.environment, t.transaction_id, t.user_id, t.outcome, t.signed_at,
    t.received_at, t.processed_at`,
  filters: {
    notification_id: lookup((id) => sql`t.notification_id = ${id}`),
    transaction_id: lookup((id) => sql`t.transaction_id = ${id}`),
    user_id: leading(sql`t.user_id`, { value: uuidValue, holds: sql`t.user_id is not null` }),
    type: leading(sql`t.type`, { value: textValue }),
    subtype: compared((subtype) => sql`t.subtype = ${subtype}`),
    store: compared((store) => sql`t.store = ${store}`),
    environment: compared((environment) => sql`t.environment = ${environment}`),
    outcome: compared((outcome) => sql`t.outcome = ${outcome}`),
  },
};

/** Lists what stores have told us, newest first, without the signed texts themselves. */
export function listNotifications(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & NotificationFilters,
): Promise<Page<ListedNotification>> {
  return readPage(db.read, NOTIFICATIONS, request);
}
