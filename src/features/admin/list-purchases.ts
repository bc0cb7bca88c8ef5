import { sql } from 'kysely';
import {
  compared,
  type List,
  type ListRequest,
  leading,
  lookup,
  type Page,
  readPage,
  survivorOf,
  textValue,
} from '../../db/list.ts';
import type { Context } from '../context.ts';

export type PurchaseFilters = {
  transaction_id?: string | undefined;
  user_id?: string | undefined;
  product_id?: string | undefined;
  is_refunded?: boolean | undefined;
  store?: string | undefined;
  environment?: string | undefined;
};

/** `price`: in units of the currency; null if the store did not say. */
export type ListedPurchase = {
  id: string;
  store: string;
  environment: string;
  transaction_id: string;
  user_id: string | null;
  product_id: string | null;
  quantity: number | null;
  credits: number;
  taken_back: number;
  is_refunded: boolean;
  price: number | null;
  currency: string | null;
  purchased_at: Date | null;
  created_at: Date;
};

const PURCHASES: List<PurchaseFilters, ListedPurchase> = {
  name: 'purchases',
  table: 'purchases',
  time: 'created_at',
  id: { column: 'seq', type: 'bigint' },
  columns: sql`t.id, t.store, t.environment, t.transaction_id, t.user_id, t.product_id, t.quantity, t.credits, t.taken_back,
    t.is_refunded, (t.price_milliunits / 1000.0)::float8 as price, t.currency, t.purchased_at, t.created_at`,
  filters: {
    // The index begins with the store.
    transaction_id: lookup((id) => sql`t.store in ('apple', 'stripe') and t.transaction_id = ${id}`),
    user_id: leading(sql`t.user_id`, { value: survivorOf, holds: sql`t.user_id is not null` }),
    product_id: leading(sql`t.product_id`, { value: textValue, holds: sql`t.product_id is not null` }),
    is_refunded: leading(sql`t.is_refunded`, {
      value: (isRefunded) => sql`${isRefunded}::boolean`,
      has: (isRefunded) => isRefunded,
      holds: sql`t.is_refunded`,
    }),
    store: compared((store) => sql`t.store = ${store}`),
    environment: compared((environment) => sql`t.environment = ${environment}`),
  },
};

/** Lists the transactions of stores, newest first. A merged guest's id stands for the account that has its purchases now. */
export function listPurchases(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & PurchaseFilters,
): Promise<Page<ListedPurchase>> {
  return readPage(db.read, PURCHASES, request);
}
