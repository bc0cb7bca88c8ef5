import type { Sampler } from '@opentelemetry/sdk-trace';

type Library = typeof import('@opentelemetry/sdk-trace');

/** The names of OpenTelemetry's specification. `argument`: the share of traces that are kept, 0 to 1. */
export function samplerOf(
  { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler }: Library,
  { name, argument }: { name: string; argument: number },
): Sampler {
  const root = name.endsWith('always_off')
    ? new AlwaysOffSampler()
    : name.endsWith('traceidratio')
      ? new TraceIdRatioBasedSampler(argument)
      : new AlwaysOnSampler();
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
