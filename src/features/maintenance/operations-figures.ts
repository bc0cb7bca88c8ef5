import { type RawBuilder, sql } from 'kysely';
import type { Context } from '../context.ts';

/** Of the whole database. */
export type OperationsFigures = {
  /** Generations that have ended. */
  generations: { model: string; provider: string; outcome: string; total: number }[];
  /** Accounts, without guests that are a part of another one. */
  accounts: number;
  /** Those of them that have ever paid. */
  payingAccounts: number;
  /** Accounts with at most so many credits, and more than the bound before; the last bound is no bound. */
  balances: { upTo: number; accounts: number }[];
  circuits: { provider: string; isOpen: boolean }[];
  queue: QueueFigures;
};

/** `depth`: tasks that are due and that no worker has taken. */
export type QueueFigures = { depth: number; oldestSeconds: number };

/** The worker adds entries to the totals every minute, so there are hardly ever as many that it has not seen. */
const ENTRIES_MAX = 10_000;
const LEDGER_ROWS_MAX = 10_000;
/** A longer queue is shown as one of this length: counting all of it would cost the more the longer it is. */
export const QUEUE_DEPTH_MAX = 50_000;

/** Reads totals that are kept, and the few rows that came after them: costs the same however many rows there are. */
export async function readOperationsFigures({ db }: Pick<Context, 'db'>): Promise<OperationsFigures> {
  // One after another: a scrape occupies one session of the database.
  const totals = (await metricTotals().execute(db.read)).rows;
  const balances = (await balanceFigures().execute(db.read)).rows;
  const circuits = await readCircuits({ db });
  const queue = await readQueueFigures({ db });
  const totalOf = (name: string) => totals.find(({ metric }) => metric === name)?.total ?? 0;
  const accounts = totalOf('accounts');
  return {
    generations: totals.flatMap(({ metric, labels, total }) =>
      metric === 'generations' ? [{ ...generationLabels(labels), total }] : [],
    ),
    accounts,
    payingAccounts: totalOf('paying_accounts'),
    balances: balances.map(({ up_to: upTo, accounts: moved }) => ({
      upTo,
      // Every account begins without credits, and without a row.
      accounts: Math.max(0, upTo === 0 ? accounts + moved : moved),
    })),
    circuits,
    queue,
  };
}

/** Of each provider in the catalogue: one that has never failed has no row. */
async function readCircuits({ db }: Pick<Context, 'db'>): Promise<OperationsFigures['circuits']> {
  const rows = await db.read
    .selectFrom('models')
    .leftJoin('provider_circuits', 'provider_circuits.provider', 'models.provider')
    .select(['models.provider', 'provider_circuits.state'])
    .distinct()
    .orderBy('models.provider')
    .execute();
  return rows.map(({ provider, state }) => ({ provider, isOpen: state === 'open' }));
}

/** The queue's index has its due tasks in order, so the first of them is the oldest. */
export async function readQueueFigures({ db }: Pick<Context, 'db'>): Promise<QueueFigures> {
  const { rows } = await queueFigures().execute(db.read);
  return { depth: rows[0]?.depth ?? 0, oldestSeconds: rows[0]?.oldest_seconds ?? 0 };
}

export function queueFigures(): RawBuilder<{ depth: number; oldest_seconds: number }> {
  return sql`
    select
      count(*)::integer as depth,
      coalesce(extract(epoch from clock_timestamp() - min(run_at)), 0)::float8 as oldest_seconds
    from (
      select run_at
      from graphile_worker._private_jobs
      where is_available and run_at <= now()
      order by priority, run_at
      limit ${QUEUE_DEPTH_MAX}
    ) due`;
}

/** The totals with the entries that came after them, in one statement: an entry is in the one or in the other. */
export function metricTotals(): RawBuilder<{ metric: string; labels: unknown; total: number }> {
  return sql`
    select metric, labels, sum(amount)::bigint as total
    from (
      select metric, labels, total as amount from public.metric_totals
      union all
      (select metric, labels, amount from public.metric_entries order by id limit ${ENTRIES_MAX})
    ) counted
    group by metric, labels
    order by metric, labels`;
}

/** The same for balances, with the ledger rows that came after. */
export function balanceFigures(): RawBuilder<{ up_to: number; accounts: number }> {
  return sql`
    with uncounted as (
      select change, balance_after
      from public.quota_log
      where seq > (select counted_seq from public.audit_progress)
      order by seq
      limit ${LEDGER_ROWS_MAX}
    )
    select up_to, sum(accounts)::bigint as accounts
    from (
      select up_to, accounts from public.balance_totals
      union all
      select (select min(up_to) from public.balance_totals where up_to >= balance_after), 1 from uncounted
      union all
      select (select min(up_to) from public.balance_totals where up_to >= balance_after - change), -1 from uncounted
    ) moved
    group by up_to
    order by up_to`;
}

/** count_generation.sql writes them. */
function generationLabels(labels: unknown): { model: string; provider: string; outcome: string } {
  const { model, provider, outcome } = Object(labels);
  return { model: String(model), provider: String(provider), outcome: String(outcome) };
}
