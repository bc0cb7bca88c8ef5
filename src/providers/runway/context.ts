/** What all functions of the adapter share. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { RetryTools } from '../../kernel/retry.ts';
import { callWithRetries, type RetriedReply, type Vendor } from '../call.ts';
import type { GenerationRequest } from '../provider.ts';
import type { NoReply, Reply } from '../reply.ts';
import { type Call, call } from './call.ts';

export type RunwayOptions = {
  apiKey: string;
  /** Runway's documented paths are appended to it. */
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  onRefusedKey?: () => void;
  retryTools?: RetryTools;
  /** Between two polls of one job; 5 s by default, which is Runway's minimum. */
  pollIntervalMs?: number;
};

export type Runway = Vendor & {
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  retryTools: RetryTools;
  log: Log;
  /** What Runway may quote and a log must not contain. */
  secretsOf(request: GenerationRequest): string[];
  /** Sends a request once, without retries. */
  sendOnce(request: Call, signal: AbortSignal): Promise<Reply | NoReply>;
  /** Sends a request that is safe to repeat, by the retry policy. */
  send(request: Call, signal: AbortSignal): Promise<RetriedReply>;
};

export function createRunway(options: Required<RunwayOptions>): Runway {
  const { apiKey, baseUrl, fetch, clock, retryTools, log, onRefusedKey } = options;
  const askOnce = (request: Call, signal: AbortSignal) => call({ apiKey, baseUrl, fetch }, request, signal);
  return {
    ...{ apiKey, baseUrl, fetch, clock, retryTools, log, sendOnce: askOnce },
    secretsOf: ({ prompt, image }) => [prompt, image?.url ?? '', image?.fileName ?? '', apiKey],
    reportRefusedKey(cause) {
      log.error({ event: 'vendor_key_refused', provider: 'runway', cause }, 'Runway refuses our key or our account');
      onRefusedKey();
    },
    send: (request, signal) => callWithRetries((limit) => askOnce(request, limit), { clock, retryTools }, signal),
  };
}
