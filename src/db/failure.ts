import { errorCodeOf } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';

/** What a person can do about a database that does not let us in, by SQLSTATE or system code. */
const SENTENCES: Record<string, string> = {
  ECONNREFUSED: 'nobody listens at its address. Is it running?',
  ENOTFOUND: 'its host name is not known.',
  EAI_AGAIN: 'its host name cannot be looked up just now.',
  ETIMEDOUT: 'it does not answer.',
  ECONNRESET: 'it closed the connection.',
  '28P01': 'the password is not right.',
  '28000': 'this user may not log in.',
  '3D000': 'there is no such database.',
  '42501': 'this user may not do what a migration has to: it must own the database, or may create roles and schemas.',
  '57P03': 'it is still starting up. Try again in a moment.',
  '53300': 'it has no connection left.',
};

/** Turns a failure to reach or migrate the database into one sentence; what we cannot explain stays as it is. */
export function describeDatabaseFailure(error: unknown): unknown {
  if (error instanceof StartupError) return error;
  const code = errorCodeOf(error instanceof AggregateError ? error.errors[0] : error);
  const sentence = SENTENCES[code ?? ''];
  if (!sentence) return error;
  return new StartupError(`The database named by DATABASE_URL cannot be used: ${sentence}`, { cause: error });
}
