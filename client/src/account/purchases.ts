/** Credits that are bought or given: products, App Store purchases, codes, and the web shop. */
import { PurchaseError, RendioError, SignedOutError } from '../http/errors.ts';
import { withPatience, withRetry } from '../http/retry.ts';
import { uuid } from '../http/uuid.ts';
import type { Api } from '../session/api.ts';
import type { Checkout, CreditedPurchase, Product, Redeemed } from '../types.ts';

/** The transaction of an App Store purchase: its id, or StoreKit's `jwsRepresentation` of it. */
export type PurchaseProof = { transactionId: string } | { signedTransaction: string };

export type ReportOptions = {
  signal?: AbortSignal;
  /** How long to retry while there is no verdict, in milliseconds (60 000). */
  patienceMs?: number;
};

export type CheckoutOptions = {
  signal?: AbortSignal;
  /** How many of the product; 1 by default. */
  quantity?: number;
};

/** The App Store's answers take seconds, and after an outage of it the server asks for half a minute. */
const PATIENCE_MS = 60_000;
/** The server's verdicts: this purchase will never be credited to this account. */
const FINAL_CODES = ['ERR_4011', 'ERR_4012'];
/** Not final: the operator may have forgotten the product, and a new transaction may not be known everywhere at Apple yet. */
const PASSING_REASONS: unknown[] = ['product', 'unknown'];

/** The products on sale, the smallest first. */
export async function readProducts(api: Api, signal?: AbortSignal): Promise<Product[]> {
  return (await api.request<{ products: Product[] }>('get-products', { signal })).products;
}

/** Has a purchase credited. Throws PurchaseError when the server refuses. */
export async function reportPurchase(
  api: Api,
  proof: PurchaseProof,
  { signal, patienceMs = PATIENCE_MS }: ReportOptions = {},
): Promise<CreditedPurchase> {
  const body =
    'signedTransaction' in proof
      ? { signed_transaction: proof.signedTransaction }
      : { transaction_id: proof.transactionId };
  const call = paidOnce(body, signal);
  try {
    return await withPatience(() => api.request<CreditedPurchase>('update-credits', call), { patienceMs, signal });
  } catch (error) {
    if (!(error instanceof RendioError) || error instanceof SignedOutError) throw error;
    const isFinal = FINAL_CODES.includes(error.code) && !PASSING_REASONS.includes(error.details.reason);
    throw new PurchaseError(error, { mayFinish: isFinal });
  }
}

/** Adds the credits of a code. */
export async function redeem(api: Api, code: string, signal?: AbortSignal): Promise<Redeemed> {
  const call = paidOnce({ code }, signal);
  return withRetry(() => api.request<Redeemed>('redeem-code', call), signal);
}

/** Opens a checkout of the web shop. */
export async function openCheckout(
  api: Api,
  product_id: string,
  { quantity, signal }: CheckoutOptions = {},
): Promise<string> {
  const call = paidOnce({ product_id, quantity }, signal);
  return (await withRetry(() => api.request<Checkout>('create-checkout', call), signal)).url;
}

/** With a key, so that the answer to a repeat is that of the attempt whose answer was lost. */
function paidOnce(body: object, signal: AbortSignal | undefined) {
  return { method: 'POST', body, headers: { 'Idempotency-Key': uuid() }, signal } as const;
}
