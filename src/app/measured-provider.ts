/** Measures and traces the calls to a provider, whichever adapter makes them. */
import { errorLabel } from '../kernel/error-code.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { GenerationRequest, VideoProvider } from '../providers/provider.ts';

type Call = 'submit' | 'status' | 'cancel';

/** The provider with each of its calls measured: `outcome` is the adapter's own word, `done` for one without, `error` for our bug. */
export function measuredProvider(
  provider: VideoProvider,
  { metrics, tracer }: { metrics: Metrics; tracer: Tracer },
): VideoProvider {
  async function measured<T>(
    call: Call,
    { jobId }: GenerationRequest,
    work: () => Promise<T>,
    outcomeOf: (answer: T) => string,
  ): Promise<T> {
    const began = performance.now();
    const count = (outcome: string) =>
      metrics.observe(
        'rendio_provider_request_seconds',
        { provider: provider.name, call, outcome },
        (performance.now() - began) / 1_000,
      );
    const attributes = { 'rendio.provider': provider.name, 'rendio.job_id': jobId };
    return tracer.span(`${provider.name} ${call}`, { kind: 'client', attributes }, async (span) => {
      try {
        const answer = await work();
        const outcome = outcomeOf(answer);
        span.set({ 'rendio.outcome': outcome });
        count(outcome);
        return answer;
      } catch (error) {
        span.fail(errorLabel(error));
        count('error');
        throw error;
      }
    });
  }
  return {
    ...provider,
    submit: (request, signal) =>
      measured(
        'submit',
        request,
        () => provider.submit(request, signal),
        ({ outcome }) => outcome,
      ),
    status: (request, providerJobId, signal) =>
      measured(
        'status',
        request,
        () => provider.status(request, providerJobId, signal),
        ({ state }) => state,
      ),
    cancel: (request, providerJobId, signal) =>
      measured(
        'cancel',
        request,
        () => provider.cancel(request, providerJobId, signal),
        () => 'done',
      ),
  };
}
