import { systemClock } from '../kernel/clock.ts';
import type { WebhookReceiver } from '../webhooks/port.ts';
import { createStandardWebhook } from '../webhooks/standard-webhook.ts';
import type { Config } from './config.ts';
import type { RuntimeCapabilities } from './runtime-capabilities.ts';

/** The operator's own server, which is told of events. In production it has a public IP address. */
export function webhookReceiverOf(
  { settings, secrets: { outgoingWebhook } }: Config,
  { pinsIps }: Pick<RuntimeCapabilities, 'pinsIps'>,
): WebhookReceiver | null {
  if (!outgoingWebhook) return null;
  return createStandardWebhook({
    url: outgoingWebhook.url.reveal(),
    secrets: outgoingWebhook.secrets.reveal(),
    mayBePrivate: settings.environment !== 'production',
    clock: systemClock,
    fetch: pinsIps ? undefined : fetch,
  });
}
