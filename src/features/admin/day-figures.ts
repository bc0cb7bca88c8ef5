import { sql } from 'kysely';
import type { Context } from '../context.ts';

type Amounts = Record<string, number>;

/** `days`: by date, then by figure, then by subject (`all` where models are added up). `models`: by id, then by figure. */
export type Figures = { days: Map<string, Record<string, Amounts>>; models: Map<string, Amounts> };

/** The count adds to the figures every minute, so there are hardly ever as many rows of one kind that it has not seen. */
const UNCOUNTED_ROWS_MAX = 10_000;

type Row = { part: 'day' | 'model'; key: string; figure: string; amounts: Amounts };

/** The figures of these days: what is counted, and the few rows that came after it, in one statement, so each row is in one of both. */
export async function readFigures(
  { db }: Pick<Context, 'db'>,
  { from, to }: { from: string; to: string },
): Promise<Figures> {
  const { rows } = await sql<Row>`
    with uncounted as materialized (
      select u.*
      from day_bounds(${UNCOUNTED_ROWS_MAX}, 9223372036854775807, 9223372036854775807, 'infinity') b
      cross join lateral uncounted_figures(b.ledger_seq, b.error_id, b.jobs_at, b.attempts_at) u
    ), figures as materialized (
      select day, figure, subject, sum(amount) as amount
      from (
        select day, figure, subject, amount from day_figures where day between ${from}::date and ${to}::date
        union all
        select day, figure, subject, amount from uncounted where day between ${from}::date and ${to}::date
      ) f
      group by day, figure, subject
    ), of_days as (
      select day, figure, subject, amount from figures
      where figure in ('credits_in', 'credits_out', 'errors', 'revenue', 'sold', 'seconds')
      union all
      select day, figure, 'all', sum(amount) from figures where figure in ('completed', 'failed', 'provider_cost') group by day, figure
      union all
      select s.day, 'seconds', v.subject, v.amount
      from seconds_of_days((
        select jsonb_agg(jsonb_build_object('day', day, 'tenths', subject::integer, 'jobs', amount)) from figures where figure = 'duration'
      )) s
      cross join lateral (values ('p50', s.p50), ('p95', s.p95)) v (subject, amount)
    )
    select 'day' as part, day::text as key, figure, jsonb_object_agg(subject, amount) as amounts
    from of_days group by day, figure
    union all
    select 'model', subject, 'all', jsonb_object_agg(figure, amount)
    from (
      select subject, figure, sum(amount) as amount
      from figures where figure in ('completed', 'failed', 'credits', 'provider_cost') group by subject, figure
    ) m
    group by subject`.execute(db.read);
  const days = new Map<string, Record<string, Amounts>>();
  const models = new Map<string, Amounts>();
  for (const { part, key, figure, amounts } of rows) {
    if (part === 'model') models.set(key, amounts);
    else days.set(key, { ...days.get(key), [figure]: amounts });
  }
  return { days, models };
}
