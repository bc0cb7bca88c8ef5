/** Sends alerts as JSON to a URL of the operator's own. */
import { withoutCredentials } from '../kernel/url-credentials.ts';
import type { AlertReceiver } from './port.ts';
import { postJson } from './post-json.ts';

/** `environment`: which of the operator's servers it comes from. */
export type WebhookOptions = {
  url: string;
  environment: string;
  fetch: typeof fetch;
  timeoutMs?: number;
};

/**
 * Posts `{id, type: 'alert', kind, subject, environment, title, text, raised_at}`. `text` has the title too, because chat programs
 * show that field alone. Every 2xx counts as received; `id` is the same when an alert is sent once more.
 */
export function createWebhookReceiver({ environment, url, ...options }: WebhookOptions): AlertReceiver {
  const call = { ...options, ...withoutCredentials(url) };
  return {
    name: 'webhook',
    async send({ id, kind, subject, title, text, raisedAt }, signal) {
      const body = {
        ...{ id, type: 'alert', kind, subject, environment, title },
        text: `${title}\n\n${text}`,
        raised_at: raisedAt.toISOString(),
      };
      const result = await postJson(call, body, signal);
      if (result.status === null) return { outcome: 'failed', cause: result.cause };
      const isReceived = result.status >= 200 && result.status < 300;
      return isReceived ? { outcome: 'sent' } : { outcome: 'failed', cause: `answered ${result.status}` };
    },
  };
}
