/** What a verified payload has to hold. All members are optional in Apple's models; what a purchase cannot do without is not. */
import { z } from 'zod';
import type { AppStoreEnvironment, AppStoreNotification, AppStoreTransaction } from './port.ts';

/** Apple's ids and names are letters, digits and signs: nothing that a database cannot keep. */
const name = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^[\x21-\x7e]+$/);
/** Milliseconds, as every date of Apple; later ones are no dates. */
const time = z
  .number()
  .min(0)
  .max(8.64e15)
  .transform((ms) => new Date(ms));
const orNull = <S extends z.ZodType>(schema: S) => schema.nullable().default(null);
/** What is unusable is left out: nothing depends on it. */
const ifUsable = <S extends z.ZodType>(schema: S) => schema.nullable().catch(null).default(null);

const PERCENTAGE_MAX = 100_000;

const Transaction = z.object({
  environment: z.enum(['Production', 'Sandbox']),
  transactionId: name(64),
  productId: name(200),
  // Such as `Auto-Renewable Subscription`.
  type: z
    .string()
    .max(100)
    .regex(/^[\x20-\x7e]+$/),
  quantity: z.unknown().optional(),
  appAccountToken: orNull(name(200)),
  inAppOwnershipType: orNull(name(100)),
  purchaseDate: ifUsable(time),
  signedDate: time,
  revocationDate: orNull(time),
  revocationPercentage: orNull(z.number().min(0)),
  price: ifUsable(z.int().min(0)),
  currency: ifUsable(z.string().regex(/^[A-Z]{3}$/)),
});

const Notification = z.object({
  notificationUUID: name(100),
  notificationType: name(100),
  subtype: ifUsable(name(100)),
  signedDate: time,
  data: orNull(z.object({ signedTransactionInfo: orNull(z.string()), consumptionRequestReason: ifUsable(name(100)) })),
});

/** `value`, or the names of the members that are missing or wrong. */
type Read<T> = { value: T } | { faulty: string };

function faultyIn(error: z.ZodError): { faulty: string } {
  return { faulty: [...new Set(error.issues.map(({ path }) => path.join('.')))].join(', ') };
}

function quantityOf(quantity: unknown): number | null {
  if (quantity === undefined) return 1;
  return typeof quantity === 'number' && Number.isSafeInteger(quantity) && quantity >= 1 ? quantity : null;
}

export function readTransaction(payload: unknown): Read<AppStoreTransaction> {
  const { data: found, error } = Transaction.safeParse(payload);
  if (error) return faultyIn(error);
  const { environment, transactionId, productId, type, appAccountToken, inAppOwnershipType, currency } = found;
  const value: AppStoreTransaction = {
    ...{ environment, transactionId, productId, type, appAccountToken, inAppOwnershipType, currency },
    quantity: quantityOf(found.quantity),
    purchasedAt: found.purchaseDate,
    signedAt: found.signedDate,
    revokedAt: found.revocationDate,
    revocationPercentage:
      found.revocationPercentage === null ? null : Math.min(Math.round(found.revocationPercentage), PERCENTAGE_MAX),
    priceMilliunits: found.price,
  };
  return { value };
}

/** A notification whose transaction is still signed. */
export type SealedNotification = Omit<AppStoreNotification, 'transaction' | 'unusable'> & {
  signedTransaction: string | null;
};

export function readNotification(payload: unknown, environment: AppStoreEnvironment): Read<SealedNotification> {
  const { data: found, error } = Notification.safeParse(payload);
  if (error) return faultyIn(error);
  const value: SealedNotification = {
    notificationUuid: found.notificationUUID,
    type: found.notificationType,
    subtype: found.subtype,
    environment,
    signedAt: found.signedDate,
    signedTransaction: found.data?.signedTransactionInfo ?? null,
    consumptionRequestReason: found.data?.consumptionRequestReason ?? null,
  };
  return { value };
}
