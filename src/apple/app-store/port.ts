/** What features ask of the App Store: signed data verified to Apple's root, and calls to the App Store Server API. */

/** The environments whose signed data counts. Data of others (Xcode, local tests) is never signed by Apple. */
export type AppStoreEnvironment = 'Production' | 'Sandbox';

/** A transaction that Apple has signed for this app. Fields that Apple's models leave optional are null where they are absent. */
export type AppStoreTransaction = {
  environment: AppStoreEnvironment;
  transactionId: string;
  productId: string;
  /** `Consumable`, or another type that this server sells nothing of. */
  type: string;
  /** A whole number from 1; null if what Apple says is none. Absent means 1. */
  quantity: number | null;
  /** The account that the app named at the purchase, as it stands there. */
  appAccountToken: string | null;
  /** `PURCHASED` or `FAMILY_SHARED`. */
  inAppOwnershipType: string | null;
  purchasedAt: Date | null;
  signedAt: Date;
  /** When Apple refunded or revoked it. */
  revokedAt: Date | null;
  /** The refunded share, in thousandths of a percent. */
  revocationPercentage: number | null;
  /** In thousandths of the currency's unit. */
  priceMilliunits: number | null;
  currency: string | null;
};

export type AppStoreNotification = {
  notificationUuid: string;
  type: string;
  subtype: string | null;
  environment: AppStoreEnvironment;
  signedAt: Date;
  /** Null where it is about no transaction, or about an unusable one. */
  transaction: AppStoreTransaction | null;
  /** What is missing or wrong in its transaction, which Apple has signed for this app; null: nothing. */
  unusable: string | null;
  consumptionRequestReason: string | null;
};

/**
 * `invalid`: not signed by Apple, or not for this app, or without what a transaction needs; `cause` says which, for operators.
 * `unreachable`: Apple's certificates could not be checked online; try again.
 */
export type Verified<T> = Judged<T> | { outcome: 'unreachable'; cause: string };
export type Judged<T> = { outcome: 'valid'; value: T } | { outcome: 'invalid'; cause: string };

/** `refused`: Apple does not accept our key. `unreachable`: no usable answer; try again. */
export type AppStoreFailure = { outcome: 'refused' | 'unreachable'; cause: string; retryAfterMs: number | null };

/** What we tell Apple about a purchase whose refund was asked for. */
export type Consumption = {
  deliveryStatus: 'DELIVERED' | 'UNDELIVERED_SERVER_OUTAGE';
  sampleContentProvided: boolean;
  /** The consumed share, in thousandths of a percent, 0 to 100,000. */
  consumptionPercentage: number;
  refundPreference: 'DECLINE' | 'GRANT_FULL' | 'GRANT_PRORATED' | null;
};

export type AppStore = {
  /** Verifies a transaction as StoreKit 2 gives it to the app. */
  verifyTransaction(signedTransaction: string): Promise<Verified<AppStoreTransaction>>;
  /** Verifies a notification, and the transaction inside it. */
  verifyNotification(signedPayload: string): Promise<Verified<AppStoreNotification>>;
  /**
   * Asks Apple about a transaction: production, then the sandbox, as Apple advises; answers within 9 s. `unknown`: neither knows it.
   * `malformed`: it is no transaction id.
   */
  fetchTransaction(
    transactionId: string,
    signal: AbortSignal,
  ): Promise<Judged<AppStoreTransaction> | { outcome: 'unknown' | 'malformed' } | AppStoreFailure>;
  /** Answers a consumption request. `declined`: Apple does not want it (any more); repeating it does not help. */
  sendConsumption(
    input: { environment: AppStoreEnvironment; transactionId: string } & Consumption,
    signal: AbortSignal,
  ): Promise<{ outcome: 'sent' } | { outcome: 'declined'; cause: string } | AppStoreFailure>;
  /**
   * One page of the notifications that Apple has sent between the two dates, in no promised order; each still as Apple signed it. Apple
   * keeps them for 180 days, 30 in the sandbox. The pages of one walk need the same dates.
   */
  notificationHistory(
    input: { environment: AppStoreEnvironment; from: Date; until: Date; pageToken: string | null },
    signal: AbortSignal,
  ): Promise<{ outcome: 'page'; signedPayloads: string[]; nextPageToken: string | null } | AppStoreFailure>;
  /** One page of the transactions of the customer who made this one; each still as Apple signed it. */
  transactionHistory(
    input: { environment: AppStoreEnvironment; transactionId: string; revision: string | null },
    signal: AbortSignal,
  ): Promise<
    | { outcome: 'page'; signedTransactions: string[]; nextRevision: string | null }
    | { outcome: 'unknown' }
    | AppStoreFailure
  >;
};
