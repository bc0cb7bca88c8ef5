import { sql, type Transaction } from 'kysely';
import type { DB } from '../../db/generated.ts';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { decodeKey, encodeKey } from '../../kernel/list-cursor.ts';
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
  /** Where the next ones begin; null: there are no more. */
  next_cursor: string | null;
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
/** Of one page, so that with all their movements it stays within memory. */
const LOTS_OF_PAGE = 100;
/** The newest ones. */
const RUNS_MAX = 1_000;

type Reader = Transaction<DB>;

/**
 * How an account's balance came to be: its ledger, its lots with what they paid for, and whether each rule of the money holds
 * for it. A merged guest's id stands for the account that it was merged into. Null: there is no such account.
 */
export async function explainBalance(ctx: Pick<Context, 'db'>, id: string): Promise<ExplainedBalance | null> {
  return atOneMoment(ctx, id, async (db, user) => {
    const { lots } = await readLots(db, user, { limit: LOTS_MAX });
    return {
      ...user,
      ledger: await readRuns(db, user.user_id),
      lots: await withCursors(id, lots),
      rules: await readRules(db, user.user_id),
    };
  });
}

export type ExplainedPage = Omit<ExplainedBalance, 'ledger'> & { next_cursor: string | null };

/**
 * The same without the ledger, a page of lots at a time. A lot's own cursor leads to its next movements: that page has this lot
 * alone. Throws ERR_4006 for a cursor of another list or account.
 */
export async function explainPage(
  ctx: Pick<Context, 'db'>,
  id: string,
  cursor: string | null,
): Promise<ExplainedPage | null> {
  const after = cursor === null ? {} : await keyOf(id, cursor);
  return atOneMoment(ctx, id, async (db, user) => {
    const { lots, end } = await readLots(db, user, { limit: LOTS_OF_PAGE, ...after });
    return {
      ...user,
      lots: await withCursors(id, lots),
      rules: await readRules(db, user.user_id),
      next_cursor: end && !after.lotId ? await encodeKey(LIST, { id }, [end]) : null,
    };
  });
}

const LIST = 'explain-balance';

function withCursors(id: string, lots: ExplainedLot[]): Promise<ExplainedLot[]> {
  const withCursor = async ({ next_cursor, ...lot }: ExplainedLot) => ({
    ...lot,
    next_cursor: next_cursor && (await encodeKey(LIST, { id }, [lot.lot_id, next_cursor])),
  });
  return Promise.all(lots.map(withCursor));
}

/** Which lots, and of one lot which movements. */
type LotsAfter = { lotSeq?: string; lotId?: string; movementId?: string };

async function keyOf(id: string, cursor: string): Promise<LotsAfter> {
  const key = (await decodeKey(LIST, { id }, cursor)) ?? [];
  const [first = '', second = ''] = key;
  const isNumber = (text: string) => /^\d{1,18}$/.test(text);
  if (key.length === 1 && isNumber(first)) return { lotSeq: first };
  if (key.length === 2 && parseUuid(first) === first && isNumber(second)) return { lotId: first, movementId: second };
  throw new Problem('ERR_4006', { details: { field: 'cursor' } });
}

type Account = Pick<ExplainedBalance, 'user_id' | 'balance'>;

/** Reads of one moment, so that the lots add up to the balance. */
async function atOneMoment<T>(
  ctx: Pick<Context, 'db'>,
  id: string,
  read: (db: Reader, user: Account) => Promise<T>,
): Promise<T | null> {
  const reading = ctx.db.read.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  return reading.execute(async (db) => {
    const merged = await db
      .selectFrom('merged_users')
      .select('survivor_id')
      .where('user_id', '=', id)
      .executeTakeFirst();
    const userId = merged?.survivor_id ?? id;
    const user = await db.selectFrom('users').select('credits_remaining').where('id', '=', userId).executeTakeFirst();
    return user ? read(db, { user_id: userId, balance: user.credits_remaining }) : null;
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

type LotRow = {
  lot: Omit<ExplainedLot, 'expires_at' | 'created_at' | 'movements' | 'next_cursor'>;
  seq: number;
  expires_at: Date | null;
  created_at: Date;
  movements: (Movement & { id: number })[];
};

/** `end`: the last lot's place, if there are more; a lot's `next_cursor` is its last movement's. */
async function readLots(
  db: Reader,
  { user_id: userId }: Account,
  { limit, lotSeq = '0', lotId, movementId = '0' }: LotsAfter & { limit: number },
): Promise<{ lots: ExplainedLot[]; end: string | null }> {
  const { rows } = await sql<LotRow>`
    select c.seq, c.expires_at, c.created_at, jsonb_build_object(
      'lot_id', c.id, 'source', c.source, 'amount', c.amount, 'remaining', c.remaining,
      'transaction_id', coalesce(p.transaction_id, case when c.is_purchased then q.transaction_id end)
    ) as lot, coalesce(m.movements, '[]') as movements
    from (
      select * from credit_lots
      where user_id = ${userId} and ${lotId ? sql`id = ${lotId}::uuid` : sql`seq > ${lotSeq}::bigint`}
      order by seq
      limit ${limit + 1}
    ) c
    left join purchases p on p.id = c.purchase_id
    left join quota_log q on q.id = c.ledger_id
    left join lateral (
      select jsonb_agg(
        jsonb_build_object(
          'id', f.id, 'job_id', f.job_id, 'change', f.change,
          'at', to_char(f.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        )
        order by f.id
      ) as movements
      from (
        select * from lot_movements where lot_id = c.id and id > ${movementId}::bigint order by id limit ${MOVEMENTS_MAX + 1}
      ) f
    ) m on true
    order by c.seq`.execute(db);
  const shown = rows.slice(0, limit);
  return { lots: shown.map(lotOf), end: rows.length > limit ? String(shown.at(-1)?.seq) : null };
}

function lotOf({ lot, expires_at, created_at, movements }: LotRow): ExplainedLot {
  const { transaction_id, ...figures } = lot;
  const shown = movements.slice(0, MOVEMENTS_MAX);
  return {
    ...figures,
    expires_at: expires_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    transaction_id,
    movements: shown.map(({ job_id, change, at }) => ({ job_id, change, at })),
    next_cursor: movements.length > MOVEMENTS_MAX ? String(shown.at(-1)?.id) : null,
  };
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
