import { sql, type Transaction } from 'kysely';
import type { DB } from '../../db/generated.ts';
import type { Context } from '../context.ts';

export type Movement = { job_id: string | null; change: number; at: string };
export type ExplainedLot = {
  lot_id: string;
  source: string;
  amount: number;
  remaining: number;
  expires_at: string | null;
  created_at: string;
  transaction_id: string | null;
  /** The first ones, at most `MOVEMENTS_MAX`. */
  movements: Movement[];
};
/** Consecutive ledger rows of one reason. `balance`: after the last of them. */
export type LedgerRun = { reason: string; rows: number; change: number; balance: number; from: string; to: string };
export type ExplainedBalance = {
  user_id: string;
  balance: number;
  ledger: LedgerRun[];
  lots: ExplainedLot[];
  rules: { rule: string; holds: boolean }[];
};

const MOVEMENTS_MAX = 1_000;
const LOTS_MAX = 1_000;
/** The newest ones. */
const RUNS_MAX = 1_000;

type Reader = Transaction<DB>;

/**
 * How an account's balance came to be: its ledger, its lots with what they paid for, and whether each rule of the money holds
 * for it. A merged guest's id stands for the account that it was merged into. Null: there is no such account.
 */
export async function explainBalance(ctx: Pick<Context, 'db'>, id: string): Promise<ExplainedBalance | null> {
  // One moment, so that the lots add up to the balance.
  const reading = ctx.db.read.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  return reading.execute(async (db) => {
    const merged = await db
      .selectFrom('merged_users')
      .select('survivor_id')
      .where('user_id', '=', id)
      .executeTakeFirst();
    const userId = merged?.survivor_id ?? id;
    const user = await db.selectFrom('users').select('credits_remaining').where('id', '=', userId).executeTakeFirst();
    if (!user) return null;
    return {
      user_id: userId,
      balance: user.credits_remaining,
      ledger: await readRuns(db, userId),
      lots: await readLots(db, userId),
      rules: await readRules(db, userId),
    };
  });
}

async function readRuns(db: Reader, userId: string): Promise<LedgerRun[]> {
  const { rows } = await sql<Omit<LedgerRun, 'from' | 'to'> & { from: Date; to: Date }>`
    select reason, rows, change, balance, "from", "to"
    from (
      select reason, run, count(*) as rows, sum(change) as change, (array_agg(balance_after order by seq desc))[1] as balance,
        min(created_at) as "from", max(created_at) as "to", max(seq) as seq
      from (
        select q.*, row_number() over (order by seq) - row_number() over (partition by reason order by seq) as run
        from quota_log q
        where user_id = ${userId}
      ) numbered
      group by reason, run
      order by max(seq) desc
      limit ${RUNS_MAX}
    ) newest
    order by seq`.execute(db);
  return rows.map((row) => ({ ...row, from: row.from.toISOString(), to: row.to.toISOString() }));
}

async function readLots(db: Reader, userId: string): Promise<ExplainedLot[]> {
  const { rows } = await sql<{
    lot: Omit<ExplainedLot, 'expires_at' | 'created_at'>;
    expires_at: Date | null;
    created_at: Date;
  }>`
    select c.expires_at, c.created_at, jsonb_build_object(
      'lot_id', c.id, 'source', c.source, 'amount', c.amount, 'remaining', c.remaining,
      'transaction_id', coalesce(p.transaction_id, case when c.is_purchased then q.transaction_id end),
      'movements', coalesce(m.movements, '[]')
    ) as lot
    from credit_lots c
    left join purchases p on p.id = c.purchase_id
    left join quota_log q on q.id = c.ledger_id
    left join lateral (
      select jsonb_agg(
        jsonb_build_object(
          'job_id', f.job_id, 'change', f.change,
          'at', to_char(f.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        )
        order by f.id
      ) as movements
      from (select * from lot_movements where lot_id = c.id order by id limit ${MOVEMENTS_MAX}) f
    ) m on true
    where c.user_id = ${userId}
    order by c.seq
    limit ${LOTS_MAX}`.execute(db);
  return rows.map(({ lot, expires_at, created_at }) => {
    const { transaction_id, movements, ...figures } = lot;
    const times = { expires_at: expires_at?.toISOString() ?? null, created_at: created_at.toISOString() };
    return { ...figures, ...times, transaction_id, movements };
  });
}

/** The rules over the account and the guests that were merged into it. */
async function readRules(db: Reader, userId: string): Promise<ExplainedBalance['rules']> {
  const { rows } = await sql<{ rule: string; holds: boolean }>`
    select r.rule, b.invariant is null as holds
    from money_rules() r
    left join (
      select distinct found.invariant
      from (
        select ${userId}::uuid as id
        union all
        select user_id from merged_users where survivor_id = ${userId}
      ) a
      cross join lateral (select (select u.id from users u where u.id < a.id order by u.id desc limit 1) as before) p
      cross join lateral broken_invariants(p.before, a.id) found
    ) b on b.invariant = r.rule`.execute(db);
  return rows;
}
