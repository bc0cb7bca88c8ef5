import { signedMediaPath } from '../../../http/signed-url.ts';
import type { ServerEvent } from '../../../http/sse.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { SignedFile, UserEvent } from '../event-reader.ts';

/** `origin` is the base of the URLs in responses. */
export type Viewer = { origin: string; locale: Locale };

const STATUS: Record<string, string> = {
  queued: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
};

/** Formats a stored event for a client, which resumes the stream after its id when the connection is lost. */
export function presentEvent(event: UserEvent, { origin, locale }: Viewer): ServerEvent {
  const data: Record<string, unknown> = { ...Object(event.data), created_at: event.created_at.toISOString() };
  const status = STATUS[event.type];
  if (status) Object.assign(data, { job_id: event.job_id, status });
  if (typeof data.error_code === 'string') {
    // fail_generation writes only our own codes.
    const { reason, refunded } = data;
    data.error_message = messageFor(data.error_code as ErrorCode, locale, { reason, refunded });
  }
  if (event.type === 'completed') {
    const { video, thumbnail } = event;
    Object.assign(data, { video_url: urlOf(video, origin), thumbnail_url: urlOf(thumbnail, origin) });
  }
  return { id: String(event.id), event: event.type, data };
}

function urlOf(file: SignedFile | null, origin: string): string | null {
  return file && `${origin}${signedMediaPath(file.key, file.token)}`;
}
