/** What every verb of the adapter works with. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { RetryTools } from '../../kernel/retry.ts';
import { callWithRetries, type RetriedReply, type Vendor } from '../call.ts';
import type { GenerationRequest } from '../provider.ts';
import type { Reply } from '../reply.ts';
import { type Call, call } from './call.ts';
import { createUrls, type Urls } from './urls.ts';

export type FalOptions = {
  /** Pika is reached through fal, under its own name and key. */
  name: 'fal' | 'pika';
  /** As fal shows it: `key_id:key_secret`. */
  apiKey: string;
  /** Bases to which fal's documented paths are appended. */
  queueUrl: string;
  restUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  retryTools?: RetryTools;
  /** Between two status questions about one job; 5 s unless said. */
  pollIntervalMs?: number;
};

/** `isKeyless`: it goes to an address that must not see our key. */
export type FalRequest = Omit<Call, 'apiKey'> & { isKeyless?: true };

export type Fal = Vendor & {
  urls: Urls;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** What must not be in a log although fal may quote it. */
  secretsOf(request: GenerationRequest): string[];
  /** A question that is safe to repeat, by the retry policy. `isFinal` replies are not asked for again. */
  send(question: FalRequest, signal: AbortSignal, isFinal?: (reply: Reply) => boolean): Promise<RetriedReply>;
};

export function createFal({
  name,
  apiKey,
  queueUrl,
  restUrl,
  fetch,
  clock,
  log,
  retryTools,
}: Required<FalOptions>): Fal {
  return {
    apiKey,
    urls: createUrls(queueUrl, restUrl),
    fetch,
    clock,
    log,
    secretsOf: ({ prompt, image, webhookUrl }) => [prompt, image?.url ?? '', webhookUrl ?? '', apiKey],
    reportRefusedKey: (cause) => log.error({ provider: name, cause }, 'fal refuses our key or our account'),
    send({ isKeyless, ...question }, signal, isFinal = () => false) {
      const asked = { ...question, apiKey: isKeyless ? undefined : apiKey };
      return callWithRetries((limit) => call(fetch, asked, limit), { clock, retryTools, isFinal }, signal);
    },
  };
}
