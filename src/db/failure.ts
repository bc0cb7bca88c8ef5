import { errorCodeOf } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';

/** Why the database cannot be used, as the operator reads it, by SQLSTATE or system code. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'no server listens on its host and port. Is it running?',
  ENOTFOUND: 'its host name does not exist.',
  EAI_AGAIN: 'its host name cannot be resolved right now.',
  ETIMEDOUT: 'it does not answer.',
  ECONNRESET: 'it closed the connection.',
  '28P01': 'the password is wrong.',
  '28000': 'this user may not log in.',
  '3D000': 'there is no such database.',
  '42501':
    'this user lacks rights that a migration needs: it must own the database, or be allowed to create roles and schemas.',
  '57P03': 'it is still starting up. Try again in a moment.',
  '53300': 'it has no free connections.',
};

/** Turns a failure to reach or migrate the database into one sentence; other errors are returned unchanged. */
export function describeDatabaseFailure(error: unknown): unknown {
  if (error instanceof StartupError) return error;
  const code = errorCodeOf(error instanceof AggregateError ? error.errors[0] : error);
  const reason = REASONS[code ?? ''];
  if (!reason) return error;
  return new StartupError(`The database named by DATABASE_URL cannot be used: ${reason}`, { cause: error });
}
