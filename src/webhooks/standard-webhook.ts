/** Sends events by the rules of Standard Webhooks: signed with each secret, to public IP addresses alone, no redirect followed. */
import type { Clock } from '../kernel/clock.ts';
import { errorCodeInChain, errorLabel } from '../kernel/error-code.ts';
import { retryAfterMsOf } from '../kernel/retry.ts';
import { withoutCredentials } from '../kernel/url-credentials.ts';
import { ForbiddenHost, type SafeConnection, ssrfSafeRequest } from '../platform/ssrf-safe-request.ts';
import type { WebhookMessage, WebhookReceiver, WebhookResult } from './port.ts';

export type StandardWebhookOptions = Omit<SafeConnection, 'signal'> & {
  url: string;
  /** `whsec_` and base64. Each makes a signature, so that a receiver may change from one to another. */
  secrets: readonly string[];
  clock: Clock;
  timeoutMs?: number;
};

export const WEBHOOK_TIMEOUT_MS = 15_000;
/** An answer is read because some receivers stop working when their caller has gone. Nothing in it counts. */
const ANSWER_BYTES_MAX = 64 * 1024;

export function createStandardWebhook(options: StandardWebhookOptions): WebhookReceiver {
  const { secrets, clock, timeoutMs = WEBHOOK_TIMEOUT_MS, ...connection } = options;
  const { url, headers } = withoutCredentials(options.url);
  return {
    async send(message, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const response = await ssrfSafeRequest(new URL(url), {
          ...connection,
          signal: limit,
          headers: { ...headers, ...HEADERS, ...(await signatureOf(message, secrets, clock.now())) },
          body: message.body,
        });
        await readAway(response, limit);
        return { status: response.status, cause: null, retryAfterSeconds: retryAfterSecondsOf(response, clock) };
      } catch (error) {
        return failureOf(error, limit.aborted && !signal.aborted);
      }
    },
  };
}

const HEADERS = {
  'Content-Type': 'application/json',
  'User-Agent': 'rendio',
  Accept: '*/*',
  'Accept-Encoding': 'identity',
};

/** The time is the attempt's: receivers refuse an old one. */
async function signatureOf({ id, body }: WebhookMessage, secrets: readonly string[], at: Date) {
  // Loaded with the first event: most servers send none.
  const { Webhook } = await import('standardwebhooks');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

/** The status counts, whatever becomes of the body. */
async function readAway({ body }: Response, signal: AbortSignal): Promise<void> {
  const reader = body?.getReader();
  if (!reader) return;
  // A source may never finish its cancellation.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let bytes = 0; bytes < ANSWER_BYTES_MAX && !signal.aborted; ) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
    }
  } catch {
    // The connection was cut behind the status.
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function retryAfterSecondsOf({ headers }: Response, clock: Clock): number | null {
  const ms = retryAfterMsOf(headers, clock);
  return ms === null ? null : Math.ceil(ms / 1000);
}

function failureOf(error: unknown, isTimeout: boolean): WebhookResult {
  const cause =
    error instanceof ForbiddenHost ? 'private_address' : (errorCodeInChain(error) ?? errorLabel(error)).slice(0, 100);
  return { status: null, cause: isTimeout ? 'timeout' : cause, retryAfterSeconds: null };
}
