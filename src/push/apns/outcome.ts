/** What each of Apple's answers means for a push. */
import type { Clock } from '../../kernel/clock.ts';
import { isRetryableStatus, retryAfterMsOf } from '../../kernel/retry.ts';
import type { PushResult } from '../port.ts';
import type { Reply } from './reply.ts';

/** Of a 400: the token is not one of this app at this server. */
const WRONG_TOKEN = new Set(['BadDeviceToken', 'DeviceTokenNotForTopic']);
/** Of a 403: a fresh provider token may help. */
const RENEWABLE = new Set(['ExpiredProviderToken', 'InvalidProviderToken']);

export function isRenewable({ status, text }: Reply): boolean {
  return status === 403 && RENEWABLE.has(readBody(text).reason ?? '');
}

/** Whether the server is about to end this connection. */
export function isShutdown({ status, text }: Reply): boolean {
  return status === 503 && readBody(text).reason === 'Shutdown';
}

export function outcomeOf(reply: Reply, clock: Clock): PushResult {
  const { status, headers, text } = reply;
  if (status === 200) return { outcome: 'sent' };
  const { reason: given, goneAt } = readBody(text);
  const reason = `${status} ${given ?? 'without a reason'}`;
  if (status === 410) return { outcome: 'token_gone', reason, goneAt };
  if (status === 400 && WRONG_TOKEN.has(given ?? '')) return { outcome: 'token_gone', reason, goneAt: null };
  // Each of its reasons is about our key, its rights or its token, not about the push.
  if (status === 403) return { outcome: 'key_refused', reason };
  if (isRetryableStatus(status) || status >= 500 || status < 400) {
    return { outcome: 'retry', reason, retryAfterMs: retryAfterMsOf(new Headers(headers), clock) };
  }
  return { outcome: 'declined', reason };
}

type Body = { reason: string | null; goneAt: Date | null };

/** A body of another shape says nothing. Only words are taken from it: a proxy's page may hold anything. */
function readBody(text: string): Body {
  const { reason, timestamp } = parse(text);
  const date = typeof timestamp === 'number' ? new Date(timestamp) : null;
  return {
    reason: typeof reason === 'string' && /^[A-Za-z]{1,64}$/.test(reason) ? reason : null,
    goneAt: date && !Number.isNaN(date.getTime()) ? date : null,
  };
}

function parse(text: string): { reason?: unknown; timestamp?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
