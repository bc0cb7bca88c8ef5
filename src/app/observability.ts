/** What of the context lets operators see and hear of this process. */
import { createRaiseAlert, type RaiseAlert } from '../alerts/raise-alert.ts';
import type { Database } from '../db/database.ts';
import type { Context } from '../features/context.ts';
import { readAllFigures } from '../features/maintenance/figures.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { noMetrics } from '../kernel/metrics.ts';
import { noTracer, type Tracer } from '../kernel/tracer.ts';
import { alertReceiversOf } from './alert-receivers.ts';
import type { Config } from './config.ts';
import type { RuntimeCapabilities } from './runtime-capabilities.ts';

/** For gateways: a line, and an alert for what an operator has to mend. */
export type Telling = { log: Log; raiseAlert: RaiseAlert };

export type Observability = Pick<
  Context,
  'alertReceivers' | 'diskSpace' | 'exportMetrics' | 'log' | 'metrics' | 'raiseAlert' | 'tracer'
>;

export function createObservability(
  { config, log, tracer = noTracer }: { config: Config; log: Log; tracer?: Tracer },
  { createMetrics, diskSpace }: RuntimeCapabilities,
  db: Database,
): Observability {
  const readFigures = () => readAllFigures({ db });
  const made = createMetrics?.({ readFigures, pool: db.pool, diskSpace, log });
  return {
    log,
    tracer,
    diskSpace,
    metrics: made?.metrics ?? noMetrics,
    exportMetrics: made?.exportMetrics ?? null,
    alertReceivers: alertReceiversOf(config),
    raiseAlert: createRaiseAlert({ db, log, clock: systemClock }),
  };
}
