import { systemClock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { within } from '../../kernel/sleep.ts';
import { noTracer, type Tracer } from '../../kernel/tracer.ts';
import type { TracingSettings } from './settings.ts';

export type Tracing = { tracer: Tracer; close(): Promise<void> };

/** What is not sent by then is lost: a collector that is away must not hold up the end of the process. */
const CLOSE_MS = 2_000;
/** A collector that is away is one line in so long a time. */
const WARN_EVERY_MS = 60_000;
/** A few megabytes at most; what is more is dropped. */
const SPANS_WAITING_MAX = 2_048;

/** Starts to trace; without settings, nothing of OpenTelemetry is loaded. */
export async function startTracing(settings: TracingSettings | null, version: string, log: Log): Promise<Tracing> {
  if (settings === null) return { tracer: noTracer, close: async () => {} };
  const [trace, { resourceFromAttributes }, { OTLPTraceExporter }, { createTracer }, { samplerOf }] = await Promise.all(
    [
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/resources'),
      settings.protocol === 'http/json'
        ? import('@opentelemetry/exporter-trace-otlp-http')
        : import('@opentelemetry/exporter-trace-otlp-proto'),
      import('./tracer.ts'),
      import('./sampler.ts'),
    ],
  );
  const exporter = new OTLPTraceExporter({ url: settings.url, headers: settings.headers });
  const warn = throttledWarning(log);
  const processor = new trace.BatchSpanProcessor({
    maxQueueSize: SPANS_WAITING_MAX,
    scheduledDelayMillis: settings.delayMs,
    exporter: {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.error) warn(spans.length);
          done(result);
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
  });
  const provider = new trace.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName,
      'service.version': version,
      'deployment.environment.name': settings.environment,
    }),
    sampler: samplerOf(trace, settings.sampler),
    spanProcessors: [processor],
  });
  return {
    tracer: createTracer(provider.getTracer('rendio', version)),
    async close() {
      await within(
        CLOSE_MS,
        provider.shutdown().catch(() => warn(0)),
      );
    },
  };
}

/** The error is not logged: it may hold the URL and the headers. */
function throttledWarning(log: Log): (spans: number) => void {
  let warnedAt = 0;
  return (spans) => {
    const now = systemClock.now().getTime();
    if (now - warnedAt < WARN_EVERY_MS) return;
    warnedAt = now;
    log.warn({ spans }, 'traces could not be sent: the collector does not accept them');
  };
}
