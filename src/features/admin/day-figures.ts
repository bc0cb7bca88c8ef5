import { sql } from 'kysely';
import { parseUuid } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';

export type Amounts = Record<string, number>;
/** By figure, then by subject, as in the table day_figures. A model's figures stand under its id. */
export type DayFigures = Record<string, Amounts>;

/** The count adds to the figures every minute, so there are hardly ever as many rows of one kind that it has not seen. */
const UNCOUNTED_ROWS_MAX = 10_000;

/**
 * The figures of these days, by date: what is counted, and the few rows that came after it. In one statement, so each row is in one
 * of both.
 */
export async function readFigures(
  { db }: Pick<Context, 'db'>,
  { from, to }: { from: string; to: string },
): Promise<Map<string, DayFigures>> {
  const { rows } = await sql<{ day: string; figures: DayFigures }>`
    select day::text as day, figures from day_figures where day between ${from}::date and ${to}::date
    union all
    select u.day::text, jsonb_build_object(u.figure, jsonb_build_object(u.subject, u.amount))
    from day_bounds(${UNCOUNTED_ROWS_MAX}, 9223372036854775807, 9223372036854775807, 'infinity') b
    cross join lateral uncounted_figures(b.ledger_seq, b.error_id, b.jobs_at, b.attempts_at) u
    where u.day between ${from}::date and ${to}::date`.execute(db.read);
  const days = new Map<string, DayFigures>();
  for (const { day, figures } of rows) {
    const known = days.get(day);
    days.set(day, known ? sumOf(known, figures) : figures);
  }
  for (const figures of days.values()) if (figures.duration) figures.seconds = secondsOf(figures.duration);
  return days;
}

function sumOf(one: DayFigures, other: DayFigures): DayFigures {
  const sum = { ...one };
  for (const [figure, amounts] of Object.entries(other)) sum[figure] = addAmounts(sum[figure], amounts);
  return sum;
}

export function addAmounts(one: Amounts = {}, other: Amounts = {}): Amounts {
  const sum = { ...one };
  for (const [subject, amount] of Object.entries(other)) sum[subject] = (sum[subject] ?? 0) + amount;
  return sum;
}

/** Of a day that has not ended, as seconds_of computes it for the others. */
function secondsOf(duration: Amounts): Amounts {
  const total = totalOf(duration);
  let upTo = 0;
  const seconds: Amounts = {};
  for (const [tenths, jobs] of Object.entries(duration).sort(([a], [b]) => Number(a) - Number(b))) {
    upTo += jobs;
    if (upTo >= Math.ceil(0.5 * total)) seconds.p50 ??= Number(tenths) / 10;
    if (upTo >= Math.ceil(0.95 * total)) seconds.p95 ??= Number(tenths) / 10;
  }
  return seconds;
}

function totalOf(amounts: Amounts): number {
  return Object.values(amounts).reduce((sum, amount) => sum + amount, 0);
}

/** The figures of each model. */
export function modelsOf(day: DayFigures): [id: string, amounts: Amounts][] {
  return Object.entries(day).filter(([figure]) => parseUuid(figure) !== null);
}
