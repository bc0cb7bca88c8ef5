import { sql } from 'kysely';
import { type List, type ListRequest, type Page, readPage, survivorOf } from '../../db/list.ts';
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
    transaction_id: {
      where: (id) => sql`t.store in ('apple', 'stripe') and t.transaction_id = ${id}`,
      isIndexed: true,
    },
    user_id: { where: (id) => sql`t.user_id = ${survivorOf(id)}`, isIndexed: true },
    product_id: { where: (id) => sql`t.product_id = ${id}`, isIndexed: true },
    is_refunded: {
      where: (isRefunded) => (isRefunded ? sql`t.is_refunded` : sql`not t.is_refunded`),
      isIndexed: (isRefunded) => isRefunded,
    },
    store: { where: (store) => sql`t.store = ${store}` },
    environment: { where: (environment) => sql`t.environment = ${environment}` },
  },
};

/** Lists the transactions of stores, newest first. A merged guest's id stands for the account that has its purchases now. */
export function listPurchases(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & PurchaseFilters,
): Promise<Page<ListedPurchase>> {
  return readPage(db.read, PURCHASES, request);
}
