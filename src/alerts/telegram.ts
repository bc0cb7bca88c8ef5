/** Sends alerts by a bot of Telegram. */
import type { AlertReceiver } from './port.ts';
import { postJson } from './post-json.ts';

export type TelegramOptions = {
  /** `/bot<token>/sendMessage` is appended. */
  baseUrl: string;
  botToken: string;
  chatId: string;
  environment: string;
  fetch: typeof fetch;
  timeoutMs?: number;
};

/** Telegram refuses longer messages. */
const CHARACTERS_MAX = 4096;

/** One message for each alert, as plain text: nothing in it is taken for markup. */
export function createTelegramReceiver(options: TelegramOptions): AlertReceiver {
  const { baseUrl, botToken, chatId, environment, ...call } = options;
  const url = `${baseUrl.replace(/\/+$/, '')}/bot${botToken}/sendMessage`;
  return {
    name: 'telegram',
    async send({ title, text }, signal) {
      const message = `[${environment}] ${title}\n\n${text}`;
      const body = {
        chat_id: chatId,
        text: message.length > CHARACTERS_MAX ? `${message.slice(0, CHARACTERS_MAX - 1).trimEnd()}…` : message,
        link_preview_options: { is_disabled: true },
      };
      const result = await postJson({ ...call, url }, body, signal);
      if (result.status === null) return { outcome: 'failed', cause: result.cause };
      return result.status === 200 && isOk(result.text)
        ? { outcome: 'sent' }
        : { outcome: 'failed', cause: `answered ${result.status}` };
    },
  };
}

/** A 200 without it is not Telegram's. */
function isOk(text: string): boolean {
  try {
    return Object(JSON.parse(text)).ok === true;
  } catch {
    return false;
  }
}
