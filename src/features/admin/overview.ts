import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type Amounts, addAmounts, type DayFigures, modelsOf, readFigures } from './day-figures.ts';
import { successRate } from './success-rate.ts';

export type DayOverview = {
  date: string;
  generations: { completed: number; failed: number };
  success_rate: number;
  seconds_to_video: { p50: number | null; p95: number | null };
  credits_in: Amounts;
  credits_out: Amounts;
  revenue_usd: number;
  revenue_other: Amounts;
  provider_cost_usd: number;
  errors: Amounts;
};

export type ModelOverview = {
  model_id: string;
  name: string;
  generations: number;
  credits: number;
  provider_cost_usd: number;
  margin_usd: number;
};

export type Overview = { days: DayOverview[]; models: ModelOverview[]; credits_outstanding: number };

const DAY_MS = 86_400_000;
const DAYS_MAX = 400;
/** Of the days that are shown if none are asked for. */
const DAYS_BEFORE = 29;

/** The days that an overview is asked for; `to` is the first moment behind them. Throws ERR_4006. */
export function overviewDays(
  { clock }: Pick<Context, 'clock'>,
  range: { from?: Date | undefined; to?: Date | undefined },
): { from: string; to: string } {
  const to = dateOf(range.to ? new Date(range.to.getTime() - 1) : clock.now());
  const from = dateOf(range.from ?? new Date(Date.parse(to) - DAYS_BEFORE * DAY_MS));
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days >= 0 && days <= DAYS_MAX) return { from, to };
  throw new Problem('ERR_4006', { details: { field: 'from', allowed: { days: DAYS_MAX } } });
}

const dateOf = (time: Date) => time.toISOString().slice(0, 10);

/** The figures of these days (`YYYY-MM-DD`, in UTC, both included) up to this moment. Costs the same however many rows there are. */
export async function readOverview(
  ctx: Pick<Context, 'db'>,
  { from, to }: { from: string; to: string },
): Promise<Overview> {
  const [figures, models, outstanding] = await Promise.all([
    readFigures(ctx, { from, to }),
    ctx.db.read.selectFrom('models').select(['id', 'name']).execute(),
    readOutstanding(ctx),
  ]);
  const days = daysBetween(from, to).map((date) => dayOf(date, figures.get(date) ?? {}));
  let [sold, revenue] = [0, 0];
  const byModel = new Map<string, Amounts>();
  for (const day of figures.values()) {
    sold += day.sold?.USD ?? 0;
    revenue += day.revenue?.USD ?? 0;
    for (const [id, amounts] of modelsOf(day)) byModel.set(id, addAmounts(byModel.get(id), amounts));
  }
  return {
    days,
    models: models
      .map((model) => modelOf(model, byModel.get(model.id) ?? {}, sold > 0 ? revenue / sold : 0))
      .filter(({ generations, provider_cost_usd }) => generations > 0 || provider_cost_usd !== 0)
      .sort((a, b) => b.generations - a.generations || a.name.localeCompare(b.name)),
    credits_outstanding: outstanding,
  };
}

function dayOf(date: string, day: DayFigures): DayOverview {
  let [completed, failed, providerCost] = [0, 0, 0];
  for (const [, amounts] of modelsOf(day)) {
    completed += amounts.completed ?? 0;
    failed += amounts.failed ?? 0;
    providerCost += amounts.provider_cost ?? 0;
  }
  const { USD = 0, ...others } = day.revenue ?? {};
  return {
    date,
    generations: { completed, failed },
    success_rate: successRate(completed, failed),
    seconds_to_video: { p50: day.seconds?.p50 ?? null, p95: day.seconds?.p95 ?? null },
    credits_in: day.credits_in ?? {},
    credits_out: day.credits_out ?? {},
    revenue_usd: cents(USD),
    revenue_other: Object.fromEntries(Object.entries(others).map(([currency, amount]) => [currency, cents(amount)])),
    provider_cost_usd: micros(providerCost),
    errors: day.errors ?? {},
  };
}

/** A credit is worth what credits were sold for on these days, on average. */
function modelOf({ id, name }: { id: string; name: string }, of: Amounts, usdPerCredit: number): ModelOverview {
  const { completed = 0, failed = 0, credits = 0, provider_cost = 0 } = of;
  return {
    model_id: id,
    name,
    generations: completed + failed,
    credits,
    provider_cost_usd: micros(provider_cost),
    margin_usd: cents(credits * usdPerCredit - provider_cost),
  };
}

function daysBetween(from: string, to: string): string[] {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  const count = Math.floor((last - first) / DAY_MS) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, n) => dateOf(new Date(first + n * DAY_MS)));
}

const cents = (amount: number) => Math.round(amount * 100) / 100;
const micros = (amount: number) => Math.round(amount * 1e6) / 1e6;

/** The check of changes adds to the total every minute, so there are hardly ever as many rows that it has not seen. */
const UNCOUNTED_ROWS_MAX = 10_000;

/** The credits that accounts have; debts count as nothing. */
async function readOutstanding({ db }: Pick<Context, 'db'>): Promise<number> {
  const { rows } = await sql<{ credits: number }>`
    select p.credits_outstanding + coalesce(sum(greatest(q.balance_after, 0)::bigint - greatest(q.balance_after::bigint - q.change, 0)), 0)::bigint
      as credits
    from audit_progress p
    left join lateral (
      select change, balance_after from quota_log where seq > p.counted_seq order by seq limit ${UNCOUNTED_ROWS_MAX}
    ) q on true
    group by p.credits_outstanding`.execute(db.read);
  return rows[0]?.credits ?? 0;
}
