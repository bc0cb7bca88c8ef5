/** What was bought in the simulated App Store. */
import { createHash, randomInt } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { openRecords } from '../records.ts';

export const ENVIRONMENTS = ['Production', 'Sandbox'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The types of products, by the names that the history's filter gives them. */
export const PRODUCT_TYPES = {
  CONSUMABLE: 'Consumable',
  NON_CONSUMABLE: 'Non-Consumable',
  NON_RENEWABLE: 'Non-Renewing Subscription',
  AUTO_RENEWABLE: 'Auto-Renewable Subscription',
} as const;
export const OWNERSHIP_TYPES = ['PURCHASED', 'FAMILY_SHARED'] as const;
export const REVOCATION_PERCENTAGE_WHOLE = 100_000;

export const purchaseShape = z.object({
  productId: z.string().trim().min(1).max(255),
  quantity: z.int().min(1).max(10).default(1),
  /** The account that the app names; null: it names none. */
  appAccountToken: z.uuid().nullable().default(null),
  environment: z.enum(ENVIRONMENTS).default('Sandbox'),
  type: z.enum(PRODUCT_TYPES).default('Consumable'),
  ownership: z.enum(OWNERSHIP_TYPES).default('PURCHASED'),
  /** Whose Apple Account it is. By default all purchases for one account of the app are one customer's. */
  customer: z.string().min(1).optional(),
  /** For the whole quantity, in thousandths of `currency`. */
  priceMilliunits: z.int().min(0).default(990),
  currency: z.string().length(3).default('USD'),
});
export type PurchaseInput = z.input<typeof purchaseShape>;

const revocationShape = z.object({
  atMs: z.number(),
  /** 1: because of a problem with the app. */
  reason: z.union([z.literal(0), z.literal(1)]),
  type: z.enum(['REFUND_FULL', 'REFUND_PRORATED', 'FAMILY_REVOKE']),
  /** In thousandths of a percent. */
  percentage: z.int().min(1).max(REVOCATION_PERCENTAGE_WHOLE),
});
export type Revocation = z.infer<typeof revocationShape>;

const transactionShape = purchaseShape.extend({
  transactionId: z.string(),
  customer: z.string(),
  purchasedAtMs: z.number(),
  /** The purchase, or the last change of `revocation`. */
  modifiedAtMs: z.number(),
  revocation: revocationShape.nullable(),
});
export type Transaction = z.infer<typeof transactionShape>;

/** What tells the ids of the two environments apart. */
const ID_PREFIX = { Production: '57000', Sandbox: '20000' } as const satisfies Record<Environment, string>;
const ID_DIGITS = 11;
/** The digits as a UUID, by which records are kept. */
const recordId = (transactionId: string) =>
  transactionId.padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

export async function openTransactions(folder: string, stamp: () => number) {
  const records = await openRecords({
    folder,
    shape: transactionShape,
    idOf: ({ transactionId }) => recordId(transactionId),
    atMsOf: ({ modifiedAtMs }) => modifiedAtMs,
  });

  /** Undefined for a transaction of the other environment too. */
  async function find(transactionId: string, environment?: Environment): Promise<Transaction | undefined> {
    const found = await records.read(recordId(transactionId));
    return environment === undefined || found?.environment === environment ? found : undefined;
  }

  return {
    find,
    async get(transactionId: string): Promise<Transaction> {
      const found = /^\d{1,20}$/.test(transactionId) ? await find(transactionId) : undefined;
      if (!found) throw new Error(`there is no simulated transaction ${transactionId}`);
      return found;
    },
    /** In the order of their last change. */
    list: records.list,
    async create(input: PurchaseInput): Promise<Transaction> {
      const purchase = purchaseShape.parse(input);
      const atMs = stamp();
      const digits = String(randomInt(10 ** ID_DIGITS)).padStart(ID_DIGITS, '0');
      const created = {
        ...purchase,
        transactionId: `${ID_PREFIX[purchase.environment]}${digits}`,
        customer: purchase.customer ?? purchase.appAccountToken?.toLowerCase() ?? 'no account named',
        purchasedAtMs: atMs,
        modifiedAtMs: atMs,
        revocation: null,
      };
      await records.write(created);
      return created;
    },
    /** Null: it is not revoked, or not any more. */
    async setRevocation(transactionId: string, revocation: Omit<Revocation, 'atMs'> | null): Promise<Transaction> {
      const atMs = stamp();
      return records.change(recordId(transactionId), {
        modifiedAtMs: atMs,
        revocation: revocation && { ...revocation, atMs },
      });
    },
  };
}

export type Transactions = Awaited<ReturnType<typeof openTransactions>>;

/** What the App Store signs about a transaction. */
export function payloadOf(transaction: Transaction, bundleId: string, signedDate: number): JWTPayload {
  const { transactionId, purchasedAtMs, appAccountToken, revocation } = transaction;
  return {
    transactionId,
    originalTransactionId: transactionId,
    bundleId,
    productId: transaction.productId,
    purchaseDate: purchasedAtMs,
    originalPurchaseDate: purchasedAtMs,
    quantity: transaction.quantity,
    type: transaction.type,
    ...(appAccountToken === null ? {} : { appAccountToken }),
    inAppOwnershipType: transaction.ownership,
    signedDate,
    environment: transaction.environment,
    transactionReason: 'PURCHASE',
    storefront: 'USA',
    storefrontId: '143441',
    price: transaction.priceMilliunits,
    currency: transaction.currency,
    appTransactionId: appTransactionIdOf(transaction.customer, bundleId),
    ...(revocation && {
      revocationDate: revocation.atMs,
      revocationReason: revocation.reason,
      revocationType: revocation.type,
      revocationPercentage: revocation.percentage,
    }),
  };
}

/** The customer's download of the app. */
function appTransactionIdOf(customer: string, bundleId: string): string {
  const hash = createHash('sha256').update(`${customer} ${bundleId}`).digest('hex');
  return String(BigInt(`0x7${hash.slice(0, 14)}`));
}
