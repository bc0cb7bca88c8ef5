import { sql } from 'kysely';
import {
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

export type TransactionFilters = {
  job_id?: string | undefined;
  transaction_id?: string | undefined;
  purchase_id?: string | undefined;
  user_id?: string | undefined;
  reason?: string | undefined;
};

export type ListedTransaction = {
  id: string;
  user_id: string;
  change: number;
  reason: string;
  balance_after: number;
  job_id: string | null;
  transaction_id: string | null;
  purchase_id: string | null;
  created_at: Date;
};

export const TRANSACTION_COLUMNS = sql<ListedTransaction>`t.id, t.user_id, t.change, t.reason, t.balance_after, t.job_id,
  t.transaction_id, t.purchase_id, t.created_at`;

const TRANSACTIONS: List<TransactionFilters, ListedTransaction> = {
  name: 'transactions',
  table: 'quota_log',
  time: 'created_at',
  id: { column: 'seq', type: 'bigint' },
  columns: TRANSACTION_COLUMNS,
  filters: {
    job_id: lookup((id) => sql`t.job_id = ${id}::uuid`),
    transaction_id: lookup((id) => sql`t.transaction_id = ${id}`),
    purchase_id: lookup((id) => sql`t.purchase_id = ${id}::uuid`),
    user_id: leading(sql`t.user_id`, { value: uuidValue }),
    reason: leading(sql`t.reason`, {
      value: textValue,
      has: (reason) => reason !== 'video_generation',
      holds: sql`t.reason <> 'video_generation'`,
    }),
  },
};

/** Lists the ledger, newest first. The rows of a merged guest stay under its own id. */
export function listTransactions(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & TransactionFilters,
): Promise<Page<ListedTransaction>> {
  return readPage(db.read, TRANSACTIONS, request);
}
