import { sql } from 'kysely';
import type { Context } from '../context.ts';

/** Of the whole database. `violations`: open ones, by rule; `checkedAt`: when the rules were checked last. */
export type MoneyFigures = {
  violations: { rule: string; open: number }[];
  checkedAt: Date | null;
  /** Credits that were moved, by reason, without their sign. */
  moved: { reason: string; credits: number }[];
  outstanding: number;
};

/** The check of changes adds to the totals every minute, so there are hardly ever as many rows that it has not seen. */
const UNCOUNTED_ROWS_MAX = 10_000;

/**
 * Reads what metrics show of the money: totals that the check of changes keeps, and the few ledger rows that came after it. Costs the
 * same however many rows and accounts there are.
 */
export async function readMoneyFigures({ db }: Pick<Context, 'db'>): Promise<MoneyFigures> {
  const [checks, ledger] = await Promise.all([
    sql<{ rule: string; open: number; checked_at: Date | null }>`
      select r.rule, coalesce(c.violations, 0) as open, c.checked_at
      from public.money_rules() r
      left join public.money_checks c on c.invariant = r.rule`.execute(db.read),
    // One statement: a row is either in the totals or among those after them.
    sql<{ reason: string | null; credits: number; outstanding: number }>`
      with uncounted as (
        select reason, change, balance_after
        from public.quota_log
        where seq > (select counted_seq from public.audit_progress)
        order by seq
        limit ${UNCOUNTED_ROWS_MAX}
      )
      select reason, sum(credits)::bigint as credits, 0::bigint as outstanding
      from (
        select reason, credits from public.credit_totals
        union all
        select reason, abs(change::bigint) from uncounted
      ) moved
      group by reason
      union all
      select null, 0, credits_outstanding + (
        select coalesce(sum(greatest(balance_after, 0)::bigint - greatest(balance_after::bigint - change, 0)), 0)::bigint
        from uncounted
      )
      from public.audit_progress`.execute(db.read),
  ]);
  return {
    violations: checks.rows.map(({ rule, open }) => ({ rule, open })),
    checkedAt: newest(checks.rows.map(({ checked_at }) => checked_at)),
    moved: ledger.rows.flatMap(({ reason, credits }) => (reason === null ? [] : [{ reason, credits }])),
    outstanding: ledger.rows.find(({ reason }) => reason === null)?.outstanding ?? 0,
  };
}

function newest(times: (Date | null)[]): Date | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : new Date(Math.max(...known.map((time) => time.getTime())));
}
