import type { AppStoreTransaction } from '../../apple/app-store/port.ts';
import type { Policy } from '../context.ts';

/** Why a verified transaction buys no credits; null: it does, if its product is for sale. */
export type Disqualified = 'environment' | 'type' | 'ownership' | 'quantity';

/** The App Store sells at most ten of a consumable at once; the rest is room. */
const QUANTITY_MAX = 100;

/** Whether a transaction is one of those that buy credits. Its product, its owner and its refunds are judged in the database. */
export function whyDisqualified(
  transaction: AppStoreTransaction,
  { sandboxPurchases }: Pick<Policy, 'sandboxPurchases'>,
): Disqualified | null {
  const { environment, type, inAppOwnershipType, quantity } = transaction;
  if (environment === 'Sandbox' && sandboxPurchases === 'refuse') return 'environment';
  if (type !== 'Consumable') return 'type';
  if (inAppOwnershipType !== null && inAppOwnershipType !== 'PURCHASED') return 'ownership';
  if (quantity === null || quantity > QUANTITY_MAX) return 'quantity';
  return null;
}
