import type { ServerEvent } from '../../../http/sse.ts';
import type { ErrorCode } from '../../../kernel/errors.ts';
import type { Locale } from '../../../kernel/locale.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import type { UserEvent } from '../feed.ts';

const STATUS: Record<string, string> = {
  queued: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
};

/** A stored event as a stream's client sees it; its id continues the stream after a lost connection. */
export function presentEvent(event: UserEvent, locale: Locale): ServerEvent {
  const data: Record<string, unknown> = { ...Object(event.data), created_at: event.created_at.toISOString() };
  const status = STATUS[event.type];
  if (status) Object.assign(data, { job_id: event.job_id, status });
  if (typeof data.error_code === 'string') {
    // fail_generation writes codes of ours alone.
    const { reason, refunded } = data;
    data.error_message = messageFor(data.error_code as ErrorCode, locale, { reason, refunded });
  }
  return { id: String(event.id), event: event.type, data };
}
