/** What this process shows to Prometheus: its own counters, its memory and event loop, and the money of the database. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ExportedMetrics } from '../features/context.ts';
import type { MoneyFigures } from '../features/maintenance/money-figures.ts';
import { errorLabel } from '../kernel/error-code.ts';
import { within } from '../kernel/sleep.ts';
import type { ProcessMetrics, ProcessMetricsOptions } from './runtime-capabilities.ts';

/** Prometheus gives up after ten seconds by default: a database that is away must leave time for the rest. */
const MONEY_WAIT_MS = 2_000;
const WHOLE_DATABASE = ', in the whole database: the same from every process, so take the maximum and not the sum.';

/**
 * Figures of the database are the same in every process: a dashboard takes their maximum, not their sum. They are left out while the
 * database does not answer.
 */
export function createProcessMetrics(options: ProcessMetricsOptions): ProcessMetrics {
  const register = new Registry();
  const registers = [register];
  const purchases = new Counter({
    name: 'rendio_purchases_total',
    help: 'Purchases that this process credited (completed) or refused (failed).',
    labelNames: ['store', 'outcome'],
    registers,
  });
  for (const store of ['apple', 'stripe'])
    for (const outcome of ['completed', 'failed']) purchases.inc({ store, outcome }, 0);
  const counters = { rendio_purchases_total: purchases };
  const readMoney = createMoneyReader(options);
  const moneyText = createMoneyMetrics();
  let hasDefaults = false;
  let exporting: Promise<ExportedMetrics> | null = null;

  async function exportOnce(): Promise<ExportedMetrics> {
    // The event loop's monitor costs processor time: only where somebody looks.
    if (!hasDefaults) collectDefaultMetrics({ register });
    hasDefaults = true;
    const money = await moneyText(await readMoney());
    return { contentType: register.contentType, text: `${await register.metrics()}${money}` };
  }

  return {
    metrics: { count: (name, labels) => counters[name].inc(labels) },
    // Scrapes at the same time share one: they cannot occupy more than one session of the database.
    exportMetrics: () => {
      exporting ??= exportOnce().finally(() => {
        exporting = null;
      });
      return exporting;
    },
  };
}

/** Undefined if there is no answer in time. A read that is late goes on, and no other begins until it has ended. */
function createMoneyReader({ readMoney, log, waitMs = MONEY_WAIT_MS }: ProcessMetricsOptions) {
  let reading: Promise<MoneyFigures | undefined> | null = null;
  return (): Promise<MoneyFigures | undefined> => {
    reading ??= readMoney()
      .catch((error: unknown) => {
        log.warn({ code: errorLabel(error) }, 'the database gives no figures for metrics');
        return undefined;
      })
      .finally(() => {
        reading = null;
      });
    return within(waitMs, reading);
  };
}

/** Made anew for each scrape: without figures, nothing of an earlier one is shown. */
function createMoneyMetrics(): (figures: MoneyFigures | undefined) => Promise<string> {
  const shown = new Map<string, number>();
  return (figures) => {
    const register = new Registry();
    const registers = [register];
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers });
    gauge('rendio_database_up', 'Whether the database gave its figures for this scrape: 1 or 0.').set(figures ? 1 : 0);
    if (!figures) return register.metrics();
    const broken = gauge('rendio_money_invariant_broken', `Open violations of a rule of the money${WHOLE_DATABASE}`, [
      'invariant',
    ]);
    for (const { rule, open } of figures.violations) broken.set({ invariant: rule }, open);
    const checkedAt = gauge('rendio_money_checked_timestamp_seconds', 'When the rules of the money were last checked.');
    // 0: never.
    checkedAt.set((figures.checkedAt?.getTime() ?? 0) / 1000);
    gauge('rendio_credits_outstanding', `Credits that all accounts hold, deleted ones included${WHOLE_DATABASE}`).set(
      figures.outstanding,
    );
    const credits = new Counter({
      name: 'rendio_credits_total',
      help: `Credits that the ledger moved, without their sign${WHOLE_DATABASE}`,
      labelNames: ['reason'],
      registers,
    });
    for (const { reason, credits: moved } of figures.moved) {
      // A read of very many new rows may be behind the one before: a counter that falls looks like a restart.
      const total = Math.max(moved, shown.get(reason) ?? 0);
      shown.set(reason, total);
      credits.inc({ reason }, total);
    }
    return register.metrics();
  };
}
