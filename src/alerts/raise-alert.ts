import type { Database } from '../db/database.ts';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import type { AlertKind } from './port.ts';

/** `subject`: what it happened to, if there are several. `details`: ids and numbers alone. */
export type AlertCause = { kind: AlertKind; subject?: string; details?: Record<string, number | string> };
export type RaiseAlert = (cause: AlertCause) => void;

/** The database keeps one for each cause and hour; asking it for every failed call would be a statement for each. */
const REPEAT_AFTER_MS = 60_000;

export type RaiseAlertOptions = { db: Pick<Database, 'call'>; log: Log; clock: { now(): Date } };

/**
 * Queues alerts for the worker, once for each cause and hour, in all processes. Nobody waits for it, and it never throws: what has
 * failed has its own answer.
 */
export function createRaiseAlert({ db, log, clock }: RaiseAlertOptions): RaiseAlert {
  const raisedAt = new Map<string, number>();
  return ({ kind, subject = '', details = {} }) => {
    const cause = `${kind} ${subject}`;
    const now = clock.now().getTime();
    if (now - (raisedAt.get(cause) ?? 0) < REPEAT_AFTER_MS) return;
    raisedAt.set(cause, now);
    db.call('raise_alert', { kind, subject, details }).catch((error: unknown) => {
      raisedAt.delete(cause);
      log.warn({ code: errorLabel(error), kind, subject }, 'an alert could not be queued');
    });
  };
}
