import { NoFreeSlot } from '../kernel/bounded-semaphore.ts';
import { errorCodeOf } from '../kernel/error-code.ts';

/** SQLSTATEs of temporary errors: connection, resources, shutdown, cancelled statements, conflicts, a read-only standby. */
const SQLSTATE = /^(?:08...|53...|57P..|57014|40001|40P01|55P03|25006)$/;

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** Messages of `pg` and its pool for errors without a code. */
const PG_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed and is not queryable|Cannot use a pool after calling end)/;

/** What `pg` throws when a statement or a new connection brings no answer in time. */
const SILENCE = /^(?:Query read timeout|timeout expired|Connection terminated due to connection timeout)$/;

/** Whether nothing has come back: the database or the network has fallen silent, without an end of the connection. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && SILENCE.test(error.message);
}

/** A session that was opened and must not be used: of the wrong role, without limits, or on a host that takes no writes. */
export class UnusableSession extends Error {
  override readonly name = 'UnusableSession';
}

/**
 * Whether an error means that PostgreSQL cannot be used right now, so that a later retry may help. Checks the error itself and
 * not its causes: an HTTP call that failed to connect wraps an error with the same code.
 */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isDatabaseOutage);
  if (!(error instanceof Error)) return false;
  if (error instanceof UnusableSession || error instanceof NoFreeSlot) return true;
  const code = errorCodeOf(error) ?? '';
  if (SQLSTATE.test(code)) return true;
  if (SYSTEM_CODES.has(code)) return 'syscall' in error && isSocketCall(error.syscall);
  return PG_MESSAGES.test(error.message);
}

/** File errors have the same codes as socket errors; only these system calls belong to a database connection. */
function isSocketCall(syscall: unknown): boolean {
  return ['connect', 'read', 'write', 'getaddrinfo'].some((call) => call === syscall);
}

export type DatabaseError = Error & { code: string; constraint?: string; table?: string; routine?: string };

/** Whether the error comes from PostgreSQL itself: it has a SQLSTATE. */
export function isDatabaseError(error: Error): error is DatabaseError {
  return 'severity' in error && errorCodeOf(error)?.length === 5;
}
