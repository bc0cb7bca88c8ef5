import { errorCodeOf } from '../kernel/error-code.ts';

/** SQLSTATEs that mean "not now": connection, resources, shutdown, cancelled or out-raced statements, a read-only standby. */
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

/** How `pg` and its pool put it when there is no code to go by. */
const PG_SENTENCES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed and is not queryable|Cannot use a pool after calling end)/;

/**
 * Whether an error says that PostgreSQL cannot be used right now, so that trying again later may help. Looks at the error
 * itself alone: an HTTP call that found no connection wraps its cause, and is another matter.
 */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isDatabaseOutage);
  if (!(error instanceof Error)) return false;
  const code = errorCodeOf(error) ?? '';
  if (SQLSTATE.test(code)) return true;
  if (SYSTEM_CODES.has(code)) return 'syscall' in error && isSocketCall(error.syscall);
  return PG_SENTENCES.test(error.message);
}

/** File errors share their codes with sockets'; only these calls reach for a database. */
function isSocketCall(syscall: unknown): boolean {
  return ['connect', 'read', 'write', 'getaddrinfo'].some((call) => call === syscall);
}

export type DatabaseError = Error & { code: string; constraint?: string; table?: string; routine?: string };

/** Whether PostgreSQL itself said it: an error with a SQLSTATE. */
export function isDatabaseError(error: Error): error is DatabaseError {
  return 'severity' in error && errorCodeOf(error)?.length === 5;
}
