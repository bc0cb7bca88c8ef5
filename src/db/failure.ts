import { errorCodeOf } from '../kernel/error-code.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { isDatabaseOutage, isSilence, UnusableSession } from './outage.ts';
import { POOLER_ADVICE } from './session.ts';

const CERTIFICATE_ADVICE =
  'no authority that this machine knows has issued its certificate. Name its own in the URL (sslrootcert=) or in NODE_EXTRA_CA_CERTS.';

/** Why the database cannot be used, as the operator reads it, by SQLSTATE or system code. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'no server listens on its host and port. Is it running?',
  ENOTFOUND: 'its host name does not exist.',
  EAI_AGAIN: 'its host name cannot be resolved right now.',
  ETIMEDOUT: 'it does not answer.',
  ECONNRESET: 'it closed the connection.',
  EHOSTUNREACH: 'there is no way to its host. A host that has IPv6 alone needs IPv6 on this machine.',
  ENETUNREACH: 'there is no way to its host. A host that has IPv6 alone needs IPv6 on this machine.',
  CERT_HAS_EXPIRED: 'its certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE_ADVICE,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name.',
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE_ADVICE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE_ADVICE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE_ADVICE,
  '28P01': 'the password is wrong.',
  '28000': 'this user may not log in.',
  '3D000': 'there is no such database.',
  '42501':
    'this user lacks rights that a migration needs: it must own the database, or be allowed to create roles and schemas.',
  '57P03': 'it is still starting up. Try again in a moment.',
  '53300': 'it has no free connections.',
  '25006': 'it takes no writes: it is a standby, or read-only.',
  '08P01': `it rejects what the server asks for at the start of a session. ${POOLER_ADVICE}`,
  '22023': 'the role rendio_server does not exist there. Is it another database than the one that was migrated?',
};

/** Errors of `pg` that have no code, by their messages. */
const WITHOUT_CODE: [RegExp, string][] = [
  [/does not support SSL/, 'it does not speak TLS. Leave sslmode out of the URL, or set TLS up there.'],
  [/client password must be a string/, 'it asks for a password, and the URL has none.'],
];

export type DatabaseVariable = 'DATABASE_URL' | 'DATABASE_DIRECT_URL';

/** Turns a failure to reach, try or migrate the database into one sentence that names its variable; other errors are returned unchanged. */
export function describeDatabaseFailure(error: unknown, variable: DatabaseVariable = 'DATABASE_URL'): unknown {
  if (error instanceof StartupError) return error;
  const reason = databaseFailureReason(error);
  if (!reason) return error;
  return new StartupError(`The database named by ${variable} cannot be used: ${reason}`, { cause: error });
}

/** In a sentence that is read after "cannot be used:"; undefined for an error that is not about reaching or using a database. */
export function databaseFailureReason(failure: unknown): string | undefined {
  const error: unknown = failure instanceof AggregateError ? failure.errors[0] : failure;
  if (error instanceof UnusableSession) return error.message;
  if (isSilence(error)) return REASONS.ETIMEDOUT;
  const code = errorCodeOf(error) ?? '';
  if (code in REASONS) return REASONS[code];
  const message = error instanceof Error ? error.message : '';
  const known = WITHOUT_CODE.find(([pattern]) => pattern.test(message));
  return known?.[1] ?? (isDatabaseOutage(error) ? 'the connection was lost.' : undefined);
}
