/** What all functions of the adapter share. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { RetryTools } from '../../kernel/retry.ts';
import { callWithRetries, type RetriedReply, type Vendor } from '../call.ts';
import type { GenerationRequest } from '../provider.ts';
import type { Reply } from '../reply.ts';
import { type Call, call } from './call.ts';
import { createUrls, type Urls } from './urls.ts';

export type FalOptions = {
  /** Pika is sold through fal, under its own name and key. */
  name: 'fal' | 'pika';
  /** As fal shows it: `key_id:key_secret`. */
  apiKey: string;
  /** Base URLs to which fal's documented paths are appended. */
  queueUrl: string;
  restUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  onRefusedKey?: () => void;
  retryTools?: RetryTools;
  /** Between two polls of one job; 5 s by default. */
  pollIntervalMs?: number;
};

/** `isKeyless`: sent without our key, to a URL that must not see it. */
export type FalRequest = Omit<Call, 'apiKey'> & { isKeyless?: true };

export type Fal = Vendor & {
  urls: Urls;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** What fal may quote and a log must not contain. */
  secretsOf(request: GenerationRequest): string[];
  /** Sends a request that is safe to repeat, by the retry policy. After an `isFinal` reply it is not repeated. */
  send(request: FalRequest, signal: AbortSignal, isFinal?: (reply: Reply) => boolean): Promise<RetriedReply>;
};

export function createFal({
  name,
  apiKey,
  queueUrl,
  restUrl,
  fetch,
  clock,
  log,
  onRefusedKey,
  retryTools,
}: Required<FalOptions>): Fal {
  return {
    apiKey,
    urls: createUrls(queueUrl, restUrl),
    fetch,
    clock,
    log,
    secretsOf: ({ prompt, image, webhookUrl }) => [prompt, image?.url ?? '', webhookUrl ?? '', apiKey],
    reportRefusedKey(cause) {
      log.error({ event: 'vendor_key_refused', provider: name, cause }, 'fal refuses our key or our account');
      onRefusedKey();
    },
    send({ isKeyless, ...request }, signal, isFinal = () => false) {
      const authorized = { ...request, apiKey: isKeyless ? undefined : apiKey };
      return callWithRetries((limit) => call(fetch, authorized, limit), { clock, retryTools, isFinal }, signal);
    },
  };
}
