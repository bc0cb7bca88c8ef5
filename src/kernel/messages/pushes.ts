/** What a push says, in the language of the account. No prompt and no title of a video: it shows on a locked phone. */
import { IntlMessageFormat } from 'intl-messageformat';
import type { Locale } from '../locale.ts';

export type PushKind = 'video_ready' | 'video_failed';
export type PushText = { title: string; body: string };

const TEXTS: Record<Locale, Record<PushKind, PushText>> = {
  en: {
    video_ready: { title: 'Your video is ready', body: 'Tap to watch it.' },
    video_failed: {
      title: 'Your video could not be made',
      body: 'You were not charged: {refunded, plural, one {your # credit is} other {your # credits are}} back in your balance.',
    },
  },
  tr: {
    video_ready: { title: 'Videonuz hazır', body: 'İzlemek için dokunun.' },
    video_failed: {
      title: 'Videonuz hazırlanamadı',
      body: 'Sizden ücret alınmadı: {refunded, number} krediniz bakiyenize geri döndü.',
    },
  },
  es: {
    video_ready: { title: 'Tu vídeo está listo', body: 'Toca para verlo.' },
    video_failed: {
      title: 'No se pudo crear tu vídeo',
      body: 'No se te ha cobrado: {refunded, plural, one {# crédito ha vuelto} other {# créditos han vuelto}} a tu saldo.',
    },
  },
};

/** `refunded`: the credits that a failed video has given back. */
export function pushText(kind: PushKind, locale: Locale, refunded: number): PushText {
  const { title, body } = TEXTS[locale][kind];
  return { title, body: String(new IntlMessageFormat(body, locale).format({ refunded })) };
}
