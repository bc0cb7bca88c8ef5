/** What StoreKit is to an app, for a page of this server: it buys, and gets the signed transaction. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { AppStoreSimulator } from '../app-store.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { answerWithReason } from './controls.ts';
import type { Told } from './events.ts';
import { purchaseShape, type Transaction } from './transactions.ts';

const { productId, quantity, appAccountToken, environment } = purchaseShape.shape;
const purchase = z.object({ product_id: productId, app_account_token: appAccountToken, quantity, environment });
const refund = z.object({ transaction_id: z.string(), percentage: z.number().optional() });

const boughtOf = ({ transactionId, signedTransaction }: Told) => ({
  transaction_id: transactionId,
  signed_transaction: signedTransaction,
});

const shownOf = (transaction: Transaction) => ({
  transaction_id: transaction.transactionId,
  product_id: transaction.productId,
  quantity: transaction.quantity,
  app_account_token: transaction.appAccountToken,
  environment: transaction.environment,
  purchased_at: new Date(transaction.purchasedAtMs).toISOString(),
  /** In percent; 0 where nothing was. */
  refunded_percentage: (transaction.revocation?.percentage ?? 0) / 1000,
});

/** `POST /buy`, `POST /refund`, `GET /transactions` (newest first). What cannot be done is a 400 that says why. */
export function shopRoutes({ controls }: Pick<AppStoreSimulator, 'controls'>): Hono<SimulatorEnv> {
  const routes = new Hono<SimulatorEnv>();
  routes.post('/buy', async (c) => {
    const { product_id, app_account_token, ...more } = purchase.parse(await c.req.json());
    const bought = await controls.buy({ productId: product_id, appAccountToken: app_account_token, ...more });
    return c.json(boughtOf(bought));
  });
  routes.post('/refund', async (c) => {
    const { transaction_id, percentage } = refund.parse(await c.req.json());
    return c.json(boughtOf(await controls.refund(transaction_id, { percentage })));
  });
  routes.get('/transactions', async (c) => {
    const bought = (await controls.transactions()).sort((a, b) => b.purchasedAtMs - a.purchasedAtMs);
    return c.json({ transactions: bought.map(shownOf) });
  });
  routes.onError(answerWithReason);
  return routes;
}
