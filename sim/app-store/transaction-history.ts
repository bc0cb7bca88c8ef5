/** A customer's transactions, in pages: all of them, and the refunded ones. */
import { AppStoreError, type ErrorName } from './errors.ts';
import { OWNERSHIP_TYPES, PRODUCT_TYPES, type Transaction } from './transactions.ts';

export const PAGE_SIZE = 20;

type Page = { items: Transaction[]; revision: string; hasMore: boolean };
/** Where a page ends: the date by which it is sorted, and the transaction. */
type Position = { atMs: number; transactionId: string };

const BEFORE_ALL: Position = { atMs: 0, transactionId: '0' };

function positionOf(revision: string | undefined): Position | null {
  if (revision === undefined) return null;
  const [, atMs, transactionId] = /^(\d{1,16})_(\d{1,20})$/.exec(revision) ?? [];
  if (!atMs || !transactionId) throw new AppStoreError('INVALID_REQUEST_REVISION');
  return { atMs: Number(atMs), transactionId };
}

function compare(a: Position, b: Position): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  return a.transactionId < b.transactionId ? -1 : Number(a.transactionId > b.transactionId);
}

/** A page after `revision`. With the last page's revision, a later call gets what is new or changed since. */
function pageOf(
  all: Transaction[],
  dateOf: (transaction: Transaction) => number,
  revision: string | undefined,
  isDescending = false,
): Page {
  const after = positionOf(revision);
  const sign = isDescending ? -1 : 1;
  const at = (transaction: Transaction): Position => ({ ...transaction, atMs: dateOf(transaction) });
  const left = all
    .filter((transaction) => after === null || sign * compare(at(transaction), after) > 0)
    .sort((a, b) => sign * compare(at(a), at(b)));
  const items = left.slice(0, PAGE_SIZE);
  const last = items.at(-1);
  const { atMs, transactionId } = last ? at(last) : (after ?? BEFORE_ALL);
  return { items, revision: `${atMs}_${transactionId}`, hasMore: left.length > items.length };
}

function optional<T>(text: string | null, parse: (text: string) => T | undefined, error: ErrorName): T | undefined {
  if (text === null) return undefined;
  const parsed = parse(text);
  if (parsed === undefined) throw new AppStoreError(error);
  return parsed;
}

const toMs = (text: string) => (/^\d{1,16}$/.test(text) ? Number(text) : undefined);
const toBoolean = (text: string) => ({ true: true, false: false })[text];
const oneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string) =>
    values.find((value) => value === text);

function filtersOf(query: URLSearchParams): (transaction: Transaction) => boolean {
  const startMs = optional(query.get('startDate'), toMs, 'INVALID_START_DATE');
  const endMs = optional(query.get('endDate'), toMs, 'INVALID_END_DATE');
  if (startMs !== undefined && endMs !== undefined && endMs <= startMs) {
    throw new AppStoreError('START_DATE_AFTER_END_DATE');
  }
  const productIds = query.getAll('productId');
  if (productIds.includes('')) throw new AppStoreError('INVALID_PRODUCT_ID');
  const types = query
    .getAll('productType')
    .map((name) =>
      optional(
        name,
        (text) => Object.entries(PRODUCT_TYPES).find(([key]) => key === text)?.[1],
        'INVALID_PRODUCT_TYPE',
      ),
    );
  const ownership = optional(query.get('inAppOwnershipType'), oneOf(OWNERSHIP_TYPES), 'INVALID_IN_APP_OWNERSHIP_TYPE');
  const isRevoked = optional(query.get('revoked'), toBoolean, 'INVALID_REVOKED');
  // Nothing that is sold here belongs to a group of subscriptions.
  const isOfNoGroup = !query.has('subscriptionGroupIdentifier');
  return (transaction) =>
    isOfNoGroup &&
    (startMs === undefined || transaction.purchasedAtMs >= startMs) &&
    (endMs === undefined || transaction.purchasedAtMs < endMs) &&
    (productIds.length === 0 || productIds.includes(transaction.productId)) &&
    (types.length === 0 || types.includes(transaction.type)) &&
    (ownership === undefined || transaction.ownership === ownership) &&
    (isRevoked === undefined || (transaction.revocation !== null) === isRevoked);
}

/** Of the customer who made `of`, sorted by the date of their last change; filtered as Apple filters. Throws Apple's refusals. */
export function transactionHistory(all: Transaction[], of: Transaction, query: URLSearchParams): Page {
  const matches = filtersOf(query);
  const order = optional(query.get('sort'), oneOf(['ASCENDING', 'DESCENDING'] as const), 'INVALID_SORT');
  const theirs = all.filter((each) => isOfSame(each, of) && matches(each));
  return pageOf(theirs, ({ modifiedAtMs }) => modifiedAtMs, query.get('revision') ?? undefined, order === 'DESCENDING');
}

/** The refunded ones of the customer who made `of`, by the date of the refund. */
export function refundHistory(all: Transaction[], of: Transaction, query: URLSearchParams): Page {
  const theirs = all.filter((each) => isOfSame(each, of) && each.revocation?.type.startsWith('REFUND_'));
  return pageOf(theirs, ({ revocation }) => revocation?.atMs ?? 0, query.get('revision') ?? undefined);
}

const isOfSame = (a: Transaction, b: Transaction) => a.customer === b.customer && a.environment === b.environment;
