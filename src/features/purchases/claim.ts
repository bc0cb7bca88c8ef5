import { sql } from 'kysely';
import type { AppStore, AppStoreTransaction } from '../../apple/app-store/port.ts';
import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';
import { type CreditResult, creditTransaction } from './credit.ts';
import { type Disqualified, whyDisqualified } from './qualify.ts';
import { reportRefusedKey } from './refused-key.ts';
import { unavailable } from './store-problem.ts';

/** What the app has of its purchase: the id, or what StoreKit 2 signed. */
export type Proof = { transactionId: string } | { signedTransaction: string };
export type ClaimInput = { userId: string; proof: Proof; idempotencyKey: string | null };
export type Answer = { status: number; body: unknown; isReplay: boolean };

export type ClaimContext = Pick<Context, 'appStore' | 'db' | 'log' | 'metrics' | 'policy'>;

/** The app waits: by then it is told to try again. */
const APPLE_WAIT_MS = 10_000;
const OPERATION = 'update_credits';

/**
 * Credits an App Store purchase to the caller, once in the life of the system. Throws ERR_4011 (400) for one that does not qualify,
 * with the reason; ERR_4012 (409) for another account's; ERR_5006 (503) while Apple gives no verdict; ERR_4017 (501) without
 * Apple's keys.
 */
export async function claimPurchase(ctx: ClaimContext, input: ClaimInput): Promise<Answer> {
  const { appStore } = ctx;
  if (!appStore) throw new Problem('ERR_4017', { details: { feature: 'purchases' } });
  const requestHash = await canonicalHash(input.proof);
  const earlier = await findReplay(ctx, input, requestHash);
  if (earlier) return earlier;

  const transaction = await verifiedTransaction(ctx, appStore, input);
  const disqualified = whyDisqualified(transaction, ctx.policy);
  if (disqualified) throw refused(ctx, input, disqualified, transaction);
  const { userId: callerId, idempotencyKey } = input;
  const result = await creditTransaction(ctx, transaction, { callerId, idempotencyKey, requestHash });
  return answerOf(ctx, input, result, transaction);
}

/** The stored answer of the same request, before Apple is asked again. */
async function findReplay(ctx: Pick<Context, 'db'>, input: ClaimInput, requestHash: string): Promise<Answer | null> {
  if (input.idempotencyKey === null) return null;
  const logged = await ctx.db.read
    .selectFrom('idempotency_log')
    .select(['request_hash', 'operation_type', 'status_code', 'response_data'])
    .where('user_id', '=', input.userId)
    .where('idempotency_key', '=', input.idempotencyKey)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
  if (!logged) return null;
  if (logged.request_hash !== requestHash || logged.operation_type !== OPERATION) throw keyReused();
  return { status: logged.status_code, body: logged.response_data, isReplay: true };
}

async function verifiedTransaction(
  ctx: ClaimContext,
  appStore: AppStore,
  input: ClaimInput,
): Promise<AppStoreTransaction> {
  const { proof } = input;
  const signal = AbortSignal.timeout(APPLE_WAIT_MS);
  const answer =
    'transactionId' in proof
      ? await appStore.fetchTransaction(proof.transactionId, signal)
      : await appStore.verifyTransaction(proof.signedTransaction);
  switch (answer.outcome) {
    case 'valid':
      return answer.value;
    case 'malformed':
      throw new Problem('ERR_4006', { details: { field: 'transaction_id' } });
    case 'unknown':
      throw refused(ctx, input, 'unknown');
    case 'invalid':
      throw refused(ctx, input, faultOf(answer.cause), null, answer.cause);
    case 'refused':
      await reportRefusedKey(ctx, 'apple', answer.cause);
      throw unavailable(answer.cause, answer.retryAfterMs);
    case 'unreachable':
      throw unavailable(answer.cause, 'retryAfterMs' in answer ? answer.retryAfterMs : null);
  }
}

type Refusal = Disqualified | Fault | 'unknown' | 'product' | 'revoked';
/** Why Apple's signed data is not a purchase in this app. */
type Fault = 'bundle' | 'environment' | 'incomplete' | 'signature';

function faultOf(cause: string): Fault {
  if (cause === 'INVALID_APP_IDENTIFIER') return 'bundle';
  if (cause === 'INVALID_ENVIRONMENT') return 'environment';
  return cause.startsWith('missing or wrong') ? 'incomplete' : 'signature';
}

/** ERR_4011, and a security event in the log. */
function refused(
  ctx: Pick<Context, 'log' | 'metrics'>,
  { userId, proof }: ClaimInput,
  reason: Refusal,
  transaction: AppStoreTransaction | null = null,
  cause: string | null = null,
): Problem {
  ctx.metrics.count('rendio_purchases_total', { store: 'apple', outcome: 'failed' });
  ctx.log.warn(
    { event: 'purchase_refused', user_id: userId, reason, cause, transaction_id: transaction?.transactionId ?? null },
    'a purchase was refused',
  );
  const field = 'transactionId' in proof ? 'transaction_id' : 'signed_transaction';
  return new Problem('ERR_4011', { details: { field, reason } });
}

function keyReused(): Problem {
  return new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
}

function answerOf(
  ctx: ClaimContext,
  input: ClaimInput,
  result: CreditResult,
  transaction: AppStoreTransaction,
): Answer {
  switch (result.outcome) {
    case 'credited':
      return { status: result.status_code, body: result.response, isReplay: false };
    case 'replayed':
      return { status: result.status_code, body: result.response, isReplay: true };
    case 'repeated': {
      // StoreKit repeats what is not finished: it is told that all is well.
      const balance = result.credits_remaining;
      const body = { success: true, credits_added: 0, credits_remaining: balance, total_credits: balance };
      return { status: 200, body, isReplay: false };
    }
    case 'key_reused':
      throw keyReused();
    case 'foreign':
      ctx.metrics.count('rendio_purchases_total', { store: 'apple', outcome: 'failed' });
      ctx.log.warn(
        {
          event: 'purchase_refused',
          user_id: input.userId,
          reason: 'foreign',
          transaction_id: transaction.transactionId,
        },
        'a purchase was refused: it belongs to another account',
      );
      throw new Problem('ERR_4012');
    case 'unknown_product':
      throw refused(ctx, input, 'product', transaction);
    case 'refunded':
      throw refused(ctx, input, 'revoked', transaction);
    case 'too_many':
      throw refused(ctx, input, 'quantity', transaction);
    case 'user_not_found':
    case 'no_owner':
      throw new Problem('ERR_4005');
  }
}
