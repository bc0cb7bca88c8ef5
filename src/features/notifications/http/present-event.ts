import type { ServerEvent } from '../../../http/sse.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { UserEvent } from '../event-reader.ts';

const STATUS: Record<string, string> = {
  queued: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
};

/** Formats a stored event for a client, which resumes the stream after its id when the connection is lost. */
export function presentEvent(event: UserEvent, locale: Locale): ServerEvent {
  const data: Record<string, unknown> = { ...Object(event.data), created_at: event.created_at.toISOString() };
  const status = STATUS[event.type];
  if (status) Object.assign(data, { job_id: event.job_id, status });
  if (typeof data.error_code === 'string') {
    // fail_generation writes only our own codes.
    const { reason, refunded } = data;
    data.error_message = messageFor(data.error_code as ErrorCode, locale, { reason, refunded });
  }
  return { id: String(event.id), event: event.type, data };
}
