/** The tracer of the features, on OpenTelemetry. Loaded where traces are sent alone. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  isSpanContextValid,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { errorLabel } from '../../kernel/error-code.ts';
import { withLogFields } from '../../kernel/log-scope.ts';
import { isTraceParent, type Span, type SpanOptions, type Tracer } from '../../kernel/tracer.ts';

const KINDS: Record<NonNullable<SpanOptions['kind']>, SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

export function createTracer(tracer: OtelTracer): Tracer {
  const running = new AsyncLocalStorage<{ context: Context; span: OtelSpan }>();
  return {
    isOn: true,
    async span(name, { kind = 'internal', attributes = {}, parent }, work) {
      const outer = contextOf(parent) ?? running.getStore()?.context ?? ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, outer);
      const context = trace.setSpan(outer, span);
      try {
        // Every line that is logged meanwhile names the trace.
        return await running.run({ context, span }, () =>
          withLogFields({ trace_id: span.spanContext().traceId }, () => work(handleOf(span))),
        );
      } catch (error) {
        failed(span, errorLabel(error));
        throw error;
      } finally {
        span.end();
      }
    },
    traceParent() {
      const current = running.getStore()?.span.spanContext();
      return current && isSpanContextValid(current) ? textOf(current) : null;
    },
  };
}

function handleOf(span: OtelSpan): Span {
  return {
    set: (attributes) => void span.setAttributes(attributes),
    rename: (name) => void span.updateName(name),
    fail: (code) => failed(span, code),
  };
}

function failed(span: OtelSpan, code: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', code);
}

/** The context of a span elsewhere; null for none, and for a text that is not in W3C's form. */
function contextOf(parent: string | null | undefined): Context | null {
  if (!parent || !isTraceParent(parent)) return null;
  const [, traceId = '', spanId = '', flags = ''] = parent.split('-');
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

function textOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
