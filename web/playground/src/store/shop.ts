/** The shop: what is on sale and where, what was bought, and codes. */
import { type Product, SignedOutError } from '@rendio/client';
import { buy, readPurchases, refund } from '../lib/app-store.ts';
import { readSettings, rendio } from '../lib/server.ts';
import { setCredits } from './credits.ts';
import type { ShopTask, State } from './state.ts';
import { currentMessages, getState, update } from './store.ts';

/** The shortest code that the server can have. */
export const CODE_LENGTH_MIN = 4;
const WHOLE = 100;

/**
 * Where this page sells credits: in the server's web shop, in a development server's simulated App Store, or not at all, because
 * the app does. Null until it is known.
 */
export function shopKind({ shop }: Pick<State, 'shop'>): 'web' | 'simulated' | 'app' | null {
  if (shop.products === null) return null;
  if (shop.products.some(({ web_price }) => web_price)) return 'web';
  return shop.storeUrl === null ? 'app' : 'simulated';
}

/** Reads what the dialog shows. What was read before stays on the screen until then. */
export async function loadShop(): Promise<void> {
  try {
    const [products, { storeUrl }] = await Promise.all([rendio.products(), readSettings()]);
    update(({ shop }) => ({ shop: { ...shop, products, storeUrl, error: null } }));
    await loadPurchases();
  } catch (error) {
    if (!(error instanceof SignedOutError)) update(({ shop }) => ({ shop: { ...shop, error } }));
  }
}

/** Only the simulated App Store tells a page what was bought there. */
async function loadPurchases(): Promise<void> {
  const { storeUrl } = getState().shop;
  const accountId = await rendio.accountId();
  if (storeUrl === null || accountId === null) return;
  const purchases = await readPurchases(storeUrl, accountId);
  update(({ shop }) => ({ shop: { ...shop, purchases } }));
}

/** One thing at a time; shows its error, or the sentence that it returns. */
async function run(task: ShopTask, work: () => Promise<string>): Promise<void> {
  if (getState().shopTask) return;
  update({ shopTask: task, shopError: null, shopNote: null });
  try {
    update({ shopNote: { kind: task.kind, text: await work() } });
  } catch (error) {
    if (!(error instanceof SignedOutError)) update({ shopError: { kind: task.kind, error } });
  } finally {
    update({ shopTask: null });
  }
}

/** Buys a product where this page sells it. */
export function buyProduct(product: Product): Promise<void> {
  return run({ kind: 'buy', id: product.product_id }, async () => {
    if (product.web_price) {
      location.assign(await rendio.checkout(product.product_id));
      return '';
    }
    const { storeUrl } = getState().shop;
    const accountId = await rendio.accountId();
    if (storeUrl === null || accountId === null) return '';
    const signedTransaction = await buy(storeUrl, product.product_id, accountId);
    setCredits((await rendio.reportPurchase({ signedTransaction })).credits_remaining);
    await loadPurchases();
    return currentMessages().bought(product.credits);
  });
}

/** Has the simulated App Store refund all of a purchase, or half. The balance follows by an event. */
export function refundPurchase(transactionId: string, percentage: 50 | 100): Promise<void> {
  return run({ kind: 'refund', id: `${transactionId} ${percentage}` }, async () => {
    const { storeUrl } = getState().shop;
    if (storeUrl === null) return '';
    await refund(storeUrl, transactionId, percentage);
    await loadPurchases();
    return percentage === WHOLE ? currentMessages().refundSent : currentMessages().refundedPart(percentage);
  });
}

/** Adds the credits of a code; true: the code is done with. */
export async function redeemCode(code: string): Promise<boolean> {
  await run({ kind: 'redeem', id: '' }, async () => {
    const { credits_added, credits_remaining } = await rendio.redeem(code);
    setCredits(credits_remaining);
    return credits_added > 0 ? currentMessages().redeemed(credits_added) : currentMessages().redeemedBefore;
  });
  return getState().shopError === null;
}

/** Opens the shop for a user who comes back from the web shop's checkout. */
export function openAfterCheckout(): void {
  const url = new URL(location.href);
  const outcome = url.searchParams.get('checkout');
  if (outcome !== 'success' && outcome !== 'cancelled') return;
  url.searchParams.delete('checkout');
  history.replaceState(history.state, '', url);
  update({ dialog: 'shop', shopCheckout: outcome });
}
