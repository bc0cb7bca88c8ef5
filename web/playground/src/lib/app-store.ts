/** The simulated App Store of a development server: what StoreKit is to an app. `url` is its page's. */
import { ConnectionError, RendioError } from '@rendio/client';

export type Purchase = {
  transactionId: string;
  productId: string;
  purchasedAt: string;
  /** In percent. */
  refundedPercentage: number;
};

type Transaction = {
  transaction_id: string;
  product_id: string;
  app_account_token: string | null;
  purchased_at: string;
  refunded_percentage: number;
};

/** Buys a product for an account, and returns the transaction as the App Store has signed it. */
export async function buy(url: string, productId: string, accountId: string): Promise<string> {
  const body = { product_id: productId, app_account_token: accountId };
  return (await call<{ signed_transaction: string }>(`${url}/buy`, body)).signed_transaction;
}

/** Refunds this much of a purchase, in percent of its price. The store tells the server. */
export async function refund(url: string, transactionId: string, percentage: number): Promise<void> {
  await call(`${url}/refund`, { transaction_id: transactionId, percentage });
}

/** What was bought for this account, newest first. */
export async function readPurchases(url: string, accountId: string): Promise<Purchase[]> {
  const { transactions } = await call<{ transactions: Transaction[] }>(`${url}/transactions`);
  return transactions
    .filter(({ app_account_token: token }) => token?.toLowerCase() === accountId)
    .map((one) => ({
      transactionId: one.transaction_id,
      productId: one.product_id,
      purchasedAt: one.purchased_at,
      refundedPercentage: one.refunded_percentage,
    }));
}

async function call<Answer>(url: string, body?: object): Promise<Answer> {
  const init = body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new ConnectionError('No answer came from the simulated App Store.', { cause });
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new RendioError(String(answer.error ?? ''), { code: '', status: response.status });
  return answer;
}
