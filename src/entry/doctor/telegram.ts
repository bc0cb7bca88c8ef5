import { z } from 'zod';
import type { Check } from './check.ts';
import { type Finding, fine, wrong } from './finding.ts';
import { describeFailure, unreachable } from './network.ts';

const TOKEN = 'TELEGRAM_BOT_TOKEN';
const CHAT = 'TELEGRAM_CHAT_ID';
const Answer = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z.object({ migrate_to_chat_id: z.number() }).optional().catch(undefined),
});
type Answer = z.infer<typeof Answer> & { status: number };

/** Who the bot is, and whether it is in the chat. Nothing is sent to it. */
export const telegram: Check = {
  title: 'Telegram',
  variable: TOKEN,
  async run({ config, fetch }) {
    const { telegram: access } = config.secrets;
    if (!access) return [];
    const base = config.settings.telegramUrl;
    const ask = async (method: string): Promise<Answer | null> => {
      const response = await fetch(`${base}/bot${access.botToken.reveal()}/${method}`, { redirect: 'manual' });
      const answer = Answer.safeParse(await response.json().catch(() => null)).data;
      return answer ? { ...answer, status: response.status } : null;
    };
    try {
      const bot = await ask('getMe');
      if (!bot) return [unreachable('TELEGRAM_API_URL', base, 'it answers something else than Telegram')];
      if (!bot.ok) return [refusedToken(bot, base)];
      const chat = await ask(`getChat?chat_id=${encodeURIComponent(access.chatId)}`);
      return [fine(TOKEN, 'is accepted by Telegram'), ...chatFindings(chat)];
    } catch (error) {
      return [unreachable('TELEGRAM_API_URL', base, describeFailure(error))];
    }
  },
};

function refusedToken({ status }: Answer, base: string): Finding {
  // Telegram answers 404 for a token that has another form than its own.
  if (status === 401 || status === 404)
    return wrong(TOKEN, `is refused by Telegram (answered ${status})`, 'Copy the whole token from @BotFather.');
  return unreachable('TELEGRAM_API_URL', base, `it answers ${status}`);
}

function chatFindings(chat: Answer | null): Finding[] {
  if (!chat || chat.status === 429 || chat.status >= 500) return [];
  if (chat.ok) return [fine(CHAT, 'names a chat that the bot is in')];
  const moved = chat.parameters?.migrate_to_chat_id;
  if (moved !== undefined) return [wrong(CHAT, 'names a group that has become a supergroup', `Set it to ${moved}.`)];
  return [
    wrong(
      CHAT,
      `names a chat that the bot does not know (answered ${chat.status})`,
      'Add the bot to the chat, write a message there, and set the chat’s id; those of groups are negative.',
    ),
  ];
}
