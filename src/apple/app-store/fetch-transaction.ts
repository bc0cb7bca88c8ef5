import { untilAborted } from '../until-aborted.ts';
import { type ApiOptions, callApi, unexpected, unreachable } from './call.ts';
import { memberOf } from './claims.ts';
import type { AppStore, AppStoreEnvironment } from './port.ts';
import type { Verify } from './verify.ts';

type Fetched = Awaited<ReturnType<AppStore['fetchTransaction']>>;

/** Apple's are digits. Anything else could become another path. */
const TRANSACTION_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** A person waits, and is answered within 20 s; as many purchases again may be waiting for this one. */
const WAIT_MAX_MS = 9_000;

const INVALID_TRANSACTION_ID = 4000006;
/** The transaction, its account or its original transaction. */
const NOT_FOUND_CODES = [4040010, 4040001, 4040005];

/** See `AppStore`. Never takes longer than 9 s. */
export async function fetchTransaction(
  transactionId: string,
  api: ApiOptions,
  verify: Verify,
  given: AbortSignal,
): Promise<Fetched> {
  if (!TRANSACTION_ID.test(transactionId)) return { outcome: 'malformed' };
  const signal = AbortSignal.any([given, AbortSignal.timeout(WAIT_MAX_MS)]);
  const production = await fetchIn('Production', transactionId, api, verify, signal);
  // Until an app's first release production refuses every key, and App Review buys in the sandbox.
  if (production.outcome !== 'unknown' && production.outcome !== 'refused') return production;
  const sandbox = await fetchIn('Sandbox', transactionId, api, verify, signal);
  return sandbox.outcome === 'unknown' ? production : sandbox;
}

async function fetchIn(
  environment: AppStoreEnvironment,
  transactionId: string,
  api: ApiOptions,
  verify: Verify,
  signal: AbortSignal,
): Promise<Fetched> {
  const path = `/inApps/v1/transactions/${transactionId}`;
  const reply = await callApi({ environment, method: 'GET', path, isRead: true }, api, signal);
  if (reply.outcome === 'error') {
    if (NOT_FOUND_CODES.includes(reply.code)) return { outcome: 'unknown' };
    return reply.code === INVALID_TRANSACTION_ID ? { outcome: 'malformed' } : unexpected(reply);
  }
  if (reply.outcome !== 'answer') return reply;
  const jws = memberOf(reply.body, 'signedTransactionInfo');
  if (typeof jws !== 'string') return unreachable('answered without a signed transaction');
  const verified = await untilAborted(verify.transaction(jws, environment), signal).catch(() => null);
  if (verified === null) return unreachable('the certificates were not checked in time');
  if (verified.outcome === 'unreachable') return unreachable(verified.cause);
  if (verified.outcome === 'valid' && verified.value.transactionId !== transactionId)
    return { outcome: 'invalid', cause: 'answered with another transaction' };
  return verified;
}
