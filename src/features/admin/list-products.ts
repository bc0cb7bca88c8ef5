import { sql } from 'kysely';
import { compared, type List, type ListRequest, lookup, type Page, readPage } from '../../db/list.ts';
import type { Context } from '../context.ts';

export type ProductFilters = { product_id?: string | undefined; is_active?: boolean | undefined };

export type ListedProduct = {
  product_id: string;
  display_name: string;
  credits: number;
  bonus_credits: number;
  web_price_cents: number | null;
  web_currency: string;
  is_active: boolean;
  created_at: Date;
  updated_at: Date;
};

const PRODUCTS: List<ProductFilters, ListedProduct> = {
  name: 'products',
  table: 'products',
  time: 'created_at',
  id: { column: 'product_id', type: 'text' },
  columns: sql`t.product_id, t.display_name, t.credits, t.bonus_credits, t.web_price_cents, t.web_currency, t.is_active,
    t.created_at, t.updated_at`,
  filters: {
    product_id: lookup((id) => sql`t.product_id = ${id}`),
    is_active: compared((isActive) => sql`t.is_active = ${isActive}`),
  },
};

/** Lists all products, also those that are not on sale, newest first. */
export function listProducts(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & ProductFilters,
): Promise<Page<ListedProduct>> {
  return readPage(db.read, PRODUCTS, request);
}
