/** The history of notifications, in pages, oldest first. */
import { z } from 'zod';
import { AppStoreError, type ErrorName } from './errors.ts';
import { isDelivered, type Notification } from './notifications.ts';
import { PAGE_SIZE } from './transaction-history.ts';
import type { Environment } from './transactions.ts';

const DAY_MS = 24 * 3600_000;
const DAYS_MAX = { Production: 180, Sandbox: 30 } as const satisfies Record<Environment, number>;
/** What a caller's clock may be behind. */
const SKEW_MS = 60_000;

const NOTIFICATION_TYPES = [
  ...['SUBSCRIBED', 'DID_CHANGE_RENEWAL_PREF', 'DID_CHANGE_RENEWAL_STATUS', 'OFFER_REDEEMED', 'DID_RENEW', 'EXPIRED'],
  ...['DID_FAIL_TO_RENEW', 'GRACE_PERIOD_EXPIRED', 'PRICE_INCREASE', 'REFUND', 'REFUND_DECLINED', 'REFUND_REVERSED'],
  ...['CONSUMPTION_REQUEST', 'ONE_TIME_CHARGE', 'TEST', 'RENEWAL_EXTENDED', 'RENEWAL_EXTENSION', 'REVOKE'],
  ...['EXTERNAL_PURCHASE_TOKEN', 'RESCIND_CONSENT', 'METADATA_UPDATE', 'MIGRATION', 'PRICE_CHANGE'],
];

const requestShape = z.object({
  startDate: z.unknown().optional(),
  endDate: z.unknown().optional(),
  notificationType: z.unknown().optional(),
  notificationSubtype: z.unknown().optional(),
  transactionId: z.unknown().optional(),
  onlyFailures: z.boolean().nullish(),
});

export type NotificationHistoryRequest = {
  startMs: number;
  endMs: number;
  type: string | undefined;
  subtype: string | undefined;
  transactionId: string | undefined;
  onlyFailures: boolean;
};

/** Null counts as absent. */
function optionalText(value: unknown, error: ErrorName): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new AppStoreError(error);
  return value;
}

/** Checks the body as Apple does. */
export function parseHistoryRequest(
  body: unknown,
  environment: Environment,
  nowMs: number,
): NotificationHistoryRequest {
  const request = requestShape.safeParse(body).data;
  if (!request) throw new AppStoreError('GENERAL_BAD_REQUEST');
  const startMs = z.int().min(0).safeParse(request.startDate).data;
  if (startMs === undefined) throw new AppStoreError('INVALID_START_DATE');
  const endMs = z.int().min(0).safeParse(request.endDate).data;
  if (endMs === undefined) throw new AppStoreError('INVALID_END_DATE');
  if (endMs <= startMs) throw new AppStoreError('START_DATE_AFTER_END_DATE');
  if (startMs < nowMs - DAYS_MAX[environment] * DAY_MS - SKEW_MS) throw new AppStoreError('START_DATE_TOO_FAR_IN_PAST');
  const type = optionalText(request.notificationType, 'INVALID_NOTIFICATION_TYPE');
  const subtype = optionalText(request.notificationSubtype, 'INVALID_NOTIFICATION_TYPE');
  const transactionId = optionalText(request.transactionId, 'INVALID_TRANSACTION_ID');
  if (type !== undefined && transactionId !== undefined) throw new AppStoreError('MULTIPLE_FILTERS_SUPPLIED');
  const isKnown = type === undefined ? subtype === undefined : NOTIFICATION_TYPES.includes(type);
  if (!isKnown) throw new AppStoreError('INVALID_NOTIFICATION_TYPE');
  return { startMs, endMs, type, subtype, transactionId, onlyFailures: request.onlyFailures ?? false };
}

type Page = { items: Notification[]; paginationToken?: string; hasMore: boolean };

/** `customer`: whose notifications alone; undefined: everyone's. */
type PageOptions = {
  environment: Environment;
  customer: string | undefined;
  paginationToken: string | undefined;
};

/** One page. What has not been sent yet is not in it. Throws Apple's refusal of the token. */
export function notificationHistory(
  all: Notification[],
  { startMs, endMs, type, subtype, onlyFailures }: NotificationHistoryRequest,
  { environment, customer, paginationToken }: PageOptions,
): Page {
  const [, afterMs = '-1', afterId = ''] = /^(\d{1,16})_([0-9a-f-]{36})$/.exec(paginationToken ?? '') ?? [];
  if (paginationToken !== undefined && afterId === '') throw new AppStoreError('INVALID_PAGINATION_TOKEN');
  const after = { signedDate: Number(afterMs), notificationUUID: afterId };
  const left = all
    .filter(
      (each) =>
        each.environment === environment &&
        each.attempts.length > 0 &&
        each.signedDate >= startMs &&
        each.signedDate <= endMs &&
        (customer === undefined || each.customer === customer) &&
        (type === undefined || each.type === type) &&
        (subtype === undefined || each.subtype === subtype) &&
        (!onlyFailures || !isDelivered(each)) &&
        compare(each, after) > 0,
    )
    .sort(compare);
  const items = left.slice(0, PAGE_SIZE);
  const last = items.at(-1);
  if (!last || left.length === items.length) return { items, hasMore: false };
  return { items, hasMore: true, paginationToken: `${last.signedDate}_${last.notificationUUID}` };
}

type Position = Pick<Notification, 'signedDate' | 'notificationUUID'>;

function compare(a: Position, b: Position): number {
  if (a.signedDate !== b.signedDate) return a.signedDate - b.signedDate;
  return a.notificationUUID < b.notificationUUID ? -1 : Number(a.notificationUUID > b.notificationUUID);
}
