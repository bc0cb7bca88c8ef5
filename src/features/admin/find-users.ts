import { sql } from 'kysely';
import { type List, type ListRequest, lookup, type Page, readPage } from '../../db/list.ts';
import type { Context } from '../context.ts';
import { accountsOf } from './account-lookups.ts';

export type UserFilters = { query?: string | undefined };

export type ListedUser = {
  id: string;
  email: string | null;
  is_guest: boolean;
  is_banned: boolean;
  credits_remaining: number;
  credits_total: number;
  created_at: Date;
  deleted_at: Date | null;
};

const LISTED: Pick<List<object, ListedUser>, 'table' | 'time' | 'id' | 'columns'> = {
  table: 'users',
  time: 'created_at',
  id: { column: 'id', type: 'uuid' },
  columns: sql`t.id, t.email, t.is_guest, exists (select from user_bans b where b.user_id = t.id) as is_banned,
    t.credits_remaining, t.credits_total, t.created_at, t.deleted_at`,
};

const NEWEST: List<object, ListedUser> = {
  name: 'users',
  ...LISTED,
  always: sql`t.deleted_at is null`,
  filters: {},
};

const FOUND: List<UserFilters, ListedUser> = {
  name: 'found users',
  ...LISTED,
  filters: { query: lookup((query) => sql`t.id = any (array(${accountsOf(query)}))`) },
};

/**
 * Finds accounts by whatever a support person was given, whole; deleted ones too. Without a query: the living accounts, newest
 * first.
 */
export function findUsers(
  { db }: Pick<Context, 'db'>,
  { query, ...request }: ListRequest & UserFilters,
): Promise<Page<ListedUser>> {
  return query === undefined ? readPage(db.read, NEWEST, request) : readPage(db.read, FOUND, { ...request, query });
}
