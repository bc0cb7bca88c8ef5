/** Traces: which work belonged to one request, in whatever processes, and how long each part of it took. */

export type SpanAttributes = Record<string, string | number | boolean>;

export type SpanOptions = {
  kind?: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** Never a prompt, a token, a device id, an e-mail address, or a URL with its query. */
  attributes?: SpanAttributes;
  /** The span that this one belongs to, in W3C's form (`traceparent`). Without: the one that runs. */
  parent?: string | null;
};

export type Span = {
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** Marks the work as failed, by a code: a message may hold values. */
  fail(code: string): void;
};

export type Tracer = {
  /** Whether anything is recorded: what only a trace needs is not computed without. */
  isOn: boolean;
  /** Runs `work` in a span, and ends the span with it. What `work` throws marks it as failed. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The span that runs, in W3C's form, to be kept with work that goes on elsewhere. Null without one. */
  traceParent(): string | null;
};

const SILENT: Span = { set: () => {}, rename: () => {}, fail: () => {} };

/** Records nothing. */
export const noTracer: Tracer = {
  isOn: false,
  span: (_name, _options, work) => work(SILENT),
  traceParent: () => null,
};

/** Version 0 of W3C's form, without the ids that stand for none. */
const TRACE_PARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function isTraceParent(text: string): boolean {
  return TRACE_PARENT.test(text);
}
