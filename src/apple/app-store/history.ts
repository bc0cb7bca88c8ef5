/** Pages of what has happened, for finding what never arrived. */
import { z } from 'zod';
import { type ApiOptions, callApi, unexpected, unreachable } from './call.ts';
import type { AppStore, AppStoreEnvironment } from './port.ts';

const NotificationPage = z.object({
  notificationHistory: z.array(z.object({ signedPayload: z.string() })).default([]),
  hasMore: z.boolean().default(false),
  paginationToken: z.string().optional(),
});
const TransactionPage = z.object({
  signedTransactions: z.array(z.string()).default([]),
  hasMore: z.boolean().default(false),
  revision: z.string().optional(),
});

const DAY_MS = 86_400_000;
/** Apple refuses an earlier start. A tenth of a day is left for the time between the pages and for clocks that differ. */
const KEPT_MS: Record<AppStoreEnvironment, number> = { Production: 179.9 * DAY_MS, Sandbox: 29.9 * DAY_MS };

/** The transaction, its account or its original transaction is unknown, or it is no id. */
const UNKNOWN_CODES = [4040010, 4040001, 4040005, 4000006];

/** See `AppStore`. */
export async function notificationHistory(
  ...[input, signal, api]: [...Parameters<AppStore['notificationHistory']>, ApiOptions]
): ReturnType<AppStore['notificationHistory']> {
  const { environment, from, until, pageToken } = input;
  const endDate = until.getTime();
  const body = { startDate: Math.max(from.getTime(), endDate - KEPT_MS[environment]), endDate };
  const path = `/inApps/v1/notifications/history${queryOf('paginationToken', pageToken)}`;
  const reply = await callApi({ environment, method: 'POST', path, body, isRead: true }, api, signal);
  if (reply.outcome === 'error') return unexpected(reply);
  if (reply.outcome !== 'answer') return reply;
  const page = NotificationPage.safeParse(reply.body).data;
  const next = page && nextOf(page.hasMore, page.paginationToken, pageToken);
  if (!page || next === undefined) return unreachable('answered with no page of notifications');
  const signedPayloads = page.notificationHistory.map(({ signedPayload }) => signedPayload);
  return { outcome: 'page', signedPayloads, nextPageToken: next };
}

/** See `AppStore`. Version 2 of the endpoint: version 1 is deprecated. */
export async function transactionHistory(
  ...[input, signal, api]: [...Parameters<AppStore['transactionHistory']>, ApiOptions]
): ReturnType<AppStore['transactionHistory']> {
  const { environment, transactionId, revision } = input;
  const path = `/inApps/v2/history/${encodeURIComponent(transactionId)}${queryOf('revision', revision)}`;
  const reply = await callApi({ environment, method: 'GET', path, isRead: true }, api, signal);
  if (reply.outcome === 'error') return UNKNOWN_CODES.includes(reply.code) ? { outcome: 'unknown' } : unexpected(reply);
  if (reply.outcome !== 'answer') return reply;
  const page = TransactionPage.safeParse(reply.body).data;
  const next = page && nextOf(page.hasMore, page.revision, revision);
  if (!page || next === undefined) return unreachable('answered with no page of transactions');
  return { outcome: 'page', signedTransactions: page.signedTransactions, nextRevision: next };
}

function queryOf(name: string, value: string | null): string {
  return value === null ? '' : `?${new URLSearchParams({ [name]: value })}`;
}

/** Null after the last page. Undefined where the next page would be this one again, for ever. */
function nextOf(hasMore: boolean, next: string | undefined, current: string | null): string | null | undefined {
  if (!hasMore) return null;
  return next === undefined || next === '' || next === current ? undefined : next;
}
