/** What every verb of the adapter works with. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { GenerationRequest } from '../provider.ts';
import { isPassingStatus, type RetryTools, retry, retryAfterMsOf, type Tried } from '../retry.ts';
import { type Call, call, type NoReply, type Reply } from './call.ts';
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

export type Fal = {
  apiKey: string;
  urls: Urls;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** What must not be in a log although fal may quote it. */
  secretsOf(request: GenerationRequest): string[];
  /** A refused key concerns every job: whoever runs the server must hear of it. */
  reportKeyTrouble(cause: string): void;
  /** A question that is safe to repeat, by the retry policy. `isFinal` replies are not asked for again. */
  ask(question: Omit<Call, 'apiKey'>, signal: AbortSignal, isFinal?: (reply: Reply) => boolean): Promise<Asked>;
};

export type Asked = Tried<Reply | NoReply>;

export function createFal({ name, apiKey, queueUrl, fetch, clock, log, retryTools }: Required<FalOptions>): Fal {
  return {
    apiKey,
    urls: createUrls(queueUrl),
    fetch,
    clock,
    log,
    secretsOf: ({ prompt, image, webhookUrl }) => [prompt, image?.url ?? '', webhookUrl ?? '', apiKey],
    reportKeyTrouble: (cause) => log.error({ provider: name, cause }, 'fal refuses our key or our account'),
    ask(question, signal, isFinal = () => false) {
      const tryOnce = async (limit: AbortSignal): Promise<Asked> => {
        const answer = await call(fetch, { ...question, apiKey }, limit);
        if (answer.got === 'nothing') return { answer, isPassing: true, retryAfterMs: null };
        const isCutOff = answer.text === null;
        const isPassing = (isCutOff || isPassingStatus(answer.status)) && !isFinal(answer);
        return { answer, isPassing, retryAfterMs: isPassing ? retryAfterMsOf(answer.headers, clock) : null };
      };
      return retry(tryOnce, retryTools, signal);
    },
  };
}
