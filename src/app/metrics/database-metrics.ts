/** The figures of the database as metrics, made anew for each scrape: without figures, nothing of an earlier one is shown. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Figures } from '../../features/maintenance/figures.ts';
import type { MoneyFigures } from '../../features/maintenance/money-figures.ts';
import type { OperationsFigures } from '../../features/maintenance/operations-figures.ts';

const WHOLE_DATABASE = ', in the whole database: the same from every process, so take the maximum and not the sum.';

/** Totals that were shown, by the labels: a counter that falls looks like a restart. */
type Shown = Map<string, number>;

type Make = {
  gauge(name: string, help: string, labelNames?: string[]): Gauge<string>;
  counter(name: string, help: string, labelNames: string[]): Counter<string>;
  /** The total, or a higher one that was shown before: a read of very many new rows may be behind the one before. */
  atLeastShown(key: string, total: number): number;
};

export function createDatabaseMetrics(): (figures: Figures | undefined) => Promise<string> {
  const shown: Shown = new Map();
  return async (figures) => {
    const register = new Registry();
    const make = makerOf(register, shown);
    make
      .gauge('rendio_database_up', 'Whether the database gave its figures for this scrape: 1 or 0.')
      .set(figures ? 1 : 0);
    if (!figures) return register.metrics();
    addMoney(make, figures.money);
    addOperations(make, figures.operations);
    return `${await register.metrics()}${balancesText(figures)}`;
  };
}

function makerOf(register: Registry, shown: Shown): Make {
  const registers = [register];
  return {
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    counter: (name, help, labelNames) => new Counter({ name, help, labelNames, registers }),
    atLeastShown(key, total) {
      const highest = Math.max(total, shown.get(key) ?? 0);
      shown.set(key, highest);
      return highest;
    },
  };
}

function addMoney({ gauge, counter, atLeastShown }: Make, money: MoneyFigures): void {
  const broken = gauge('rendio_money_invariant_broken', `Open violations of a rule of the money${WHOLE_DATABASE}`, [
    'invariant',
  ]);
  for (const { rule, open } of money.violations) broken.set({ invariant: rule }, open);
  const checkedAt = gauge('rendio_money_checked_timestamp_seconds', 'When the rules of the money were last checked.');
  // 0: never.
  checkedAt.set((money.checkedAt?.getTime() ?? 0) / 1000);
  gauge('rendio_credits_outstanding', `Credits that all accounts hold, deleted ones included${WHOLE_DATABASE}`).set(
    money.outstanding,
  );
  const credits = counter(
    'rendio_credits_total',
    `Credits that the ledger moved, without their sign${WHOLE_DATABASE}`,
    ['reason'],
  );
  for (const { reason, credits: moved } of money.moved)
    credits.inc({ reason }, atLeastShown(`credits ${reason}`, moved));
}

function addOperations({ gauge, counter, atLeastShown }: Make, operations: OperationsFigures): void {
  const generations = counter('rendio_generations_total', `Generations that have ended${WHOLE_DATABASE}`, [
    ...['model', 'provider', 'outcome'],
  ]);
  for (const { total, ...labels } of operations.generations)
    generations.inc(labels, atLeastShown(`generations ${Object.values(labels).join('\n')}`, total));
  const circuit = gauge('rendio_provider_circuit', `Whether a provider is not offered: 1, else 0${WHOLE_DATABASE}`, [
    'provider',
  ]);
  for (const { provider, isOpen } of operations.circuits) circuit.set({ provider }, isOpen ? 1 : 0);
  const { queue, accounts, payingAccounts } = operations;
  gauge('rendio_queue_depth', `Tasks that are due and not begun${WHOLE_DATABASE}`).set(queue.depth);
  gauge(
    'rendio_queue_oldest_seconds',
    `For how long the oldest of them has been due; 0 without any${WHOLE_DATABASE}`,
  ).set(queue.oldestSeconds);
  gauge(
    'rendio_accounts',
    `Accounts, deleted ones included; a merged guest counts as its survivor${WHOLE_DATABASE}`,
  ).set(accounts);
  gauge('rendio_paying_accounts', `Accounts that have ever bought credits${WHOLE_DATABASE}`).set(payingAccounts);
  gauge(
    'rendio_purchase_conversion_ratio',
    `Accounts that have ever bought credits, of all accounts${WHOLE_DATABASE}`,
  ).set(accounts === 0 ? 0 : payingAccounts / accounts);
}

/** A histogram whose buckets the database keeps; the library makes those that it has observed alone. */
function balancesText({ money, operations: { balances } }: Figures): string {
  const name = 'rendio_account_credits';
  let sum = 0;
  const buckets = balances.map(({ upTo, accounts }, at) => {
    sum += accounts;
    return `${name}_bucket{le="${at === balances.length - 1 ? '+Inf' : upTo}"} ${sum}`;
  });
  return [
    '',
    `# HELP ${name} Accounts by the credits that they hold${WHOLE_DATABASE}`,
    `# TYPE ${name} histogram`,
    ...buckets,
    `${name}_sum ${money.outstanding}`,
    `${name}_count ${sum}`,
    '',
  ].join('\n');
}
