/** What this process shows to Prometheus: what it counts itself, its memory and event loop, and the figures of the database. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ExportedMetrics } from '../features/context.ts';
import type { Figures } from '../features/maintenance/figures.ts';
import { errorLabel } from '../kernel/error-code.ts';
import { within } from '../kernel/sleep.ts';
import { createDatabaseMetrics } from './metrics/database-metrics.ts';
import { createInstruments } from './metrics/instruments.ts';
import { addProcessGauges } from './metrics/process-gauges.ts';
import type { ProcessMetrics, ProcessMetricsOptions } from './runtime-capabilities.ts';

/** Prometheus gives up after ten seconds by default: a database that is away must leave time for the rest. */
const FIGURES_WAIT_MS = 2_000;

/**
 * Figures of the database are the same in every process: a dashboard takes their maximum, not their sum. They are left out while the
 * database does not answer.
 */
export function createProcessMetrics(options: ProcessMetricsOptions): ProcessMetrics {
  const register = new Registry();
  const metrics = createInstruments(register);
  const readFigures = createFiguresReader(options);
  const databaseText = createDatabaseMetrics();
  let hasDefaults = false;
  let exporting: Promise<ExportedMetrics> | null = null;

  async function exportOnce(): Promise<ExportedMetrics> {
    if (!hasDefaults) {
      // The event loop's monitor costs processor time: only where somebody looks.
      collectDefaultMetrics({ register });
      addProcessGauges(register, options);
    }
    hasDefaults = true;
    const ofDatabase = await databaseText(await readFigures());
    return { contentType: register.contentType, text: `${await register.metrics()}${ofDatabase}` };
  }

  return {
    metrics,
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
function createFiguresReader({ readFigures, log, waitMs = FIGURES_WAIT_MS }: ProcessMetricsOptions) {
  let reading: Promise<Figures | undefined> | null = null;
  return (): Promise<Figures | undefined> => {
    reading ??= readFigures()
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
