import type { GenerationRequest, ProviderAdapter, WebhookDelivery } from '../../../src/providers/provider.ts';
import { signatureOf } from './signature.ts';

export type LoomOptions = { account: string; secret: string; apiUrl: string; fetch: typeof fetch };

/** Long, because the tests run the tasks themselves. */
const POLL_INTERVAL_MS = 60_000;

export function createLoomAdapter({ account, secret, apiUrl, fetch }: LoomOptions): ProviderAdapter {
  const headers = { 'x-loom-account': account, 'x-loom-secret': secret };
  const post = (path: string, body: object, signal: AbortSignal) =>
    fetch(`${apiUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal });

  return {
    submitIsRepeatable: false,
    pollIntervalMs: POLL_INTERVAL_MS,
    async submit({ prompt, settings, webhookUrl }: GenerationRequest, signal) {
      const order = { text: prompt, seconds: settings.duration, notify: webhookUrl };
      const response = await post('/orders', order, signal);
      if (response.status !== 201) {
        return { outcome: 'declined', code: 'ERR_5003', cause: `answered ${response.status}` };
      }
      return { outcome: 'accepted', providerJobId: (await response.json()).ticket };
    },
    async status(_request, ticket, signal) {
      const response = await fetch(`${apiUrl}/orders/${ticket}`, { headers, signal });
      const { video } = await response.json();
      if (!video) return { state: 'processing', progress: null };
      return { state: 'completed', video: { from: 'url', url: video }, thumbnail: null };
    },
    async cancel(_request, ticket, signal) {
      await post(`/orders/${ticket}/cancel`, {}, signal);
    },
    async verifyWebhook({ headers: sent, body }: WebhookDelivery) {
      const text = new TextDecoder().decode(body);
      if (sent.get('x-loom-signature') !== signatureOf(text, secret)) return { ok: false, cause: 'not signed by Loom' };
      return { ok: true, providerJobId: JSON.parse(text).ticket, eventId: null };
    },
    release: async () => {},
    close: async () => {},
  };
}
