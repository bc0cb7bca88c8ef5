import type { AlertReceiver } from '../alerts/port.ts';
import { createTelegramReceiver } from '../alerts/telegram.ts';
import { createWebhookReceiver } from '../alerts/webhook.ts';
import type { Config } from './config.ts';

/** Who is told of alerts: those that are configured. */
export function alertReceiversOf({ settings, secrets: { telegram, alertWebhookUrl } }: Config): AlertReceiver[] {
  const { environment, telegramUrl: baseUrl } = settings;
  const receivers: AlertReceiver[] = [];
  if (telegram) {
    const { botToken, chatId } = telegram;
    receivers.push(createTelegramReceiver({ baseUrl, botToken: botToken.reveal(), chatId, environment, fetch }));
  }
  if (alertWebhookUrl) receivers.push(createWebhookReceiver({ url: alertWebhookUrl.reveal(), environment, fetch }));
  return receivers;
}
