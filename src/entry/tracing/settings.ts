/** Whether and where traces are sent, by OpenTelemetry's own variables. */
import type { Config } from '../../app/config.ts';

export type TracingSettings = {
  /** With its path. */
  url: string;
  headers: Record<string, string>;
  protocol: 'http/protobuf' | 'http/json';
  serviceName: string;
  environment: string;
  sampler: { name: string; argument: number };
  /** How long spans are collected before they are sent. */
  delayMs: number;
};

type Env = Record<string, string | undefined>;

const DELAY_MS = 5_000;

/** Null: nothing is sent, and nothing of OpenTelemetry is loaded. */
export function tracingSettings({ settings, secrets }: Config, env: Env): TracingSettings | null {
  const { tracing } = settings;
  if (tracing.url === undefined || tracing.isDisabled) return null;
  return {
    url: tracing.url,
    headers: headersIn(secrets.tracingHeaders?.reveal() ?? ''),
    protocol: tracing.protocol,
    serviceName: tracing.serviceName,
    environment: settings.environment,
    sampler: { name: tracing.sampler, argument: tracing.samplerArgument },
    delayMs: Number(env.OTEL_BSP_SCHEDULE_DELAY) || DELAY_MS,
  };
}

/** `name=value` pairs with commas between them; values are percent-encoded. */
function headersIn(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(
    pairs.flatMap(([name = '', ...value]) =>
      name.trim() === '' ? [] : [[name.trim(), decoded(value.join('=').trim())] as const],
    ),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that begins no code stands for itself.
    return text;
  }
}
