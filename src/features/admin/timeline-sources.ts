/**
 * What a timeline is made of. A further source is one more entry at the end: an index on its owner, its time and its id, newest first,
 * makes a page cost the same however much there is. The order of the entries decides between rows of the same microsecond.
 */
import { type RawBuilder, sql } from 'kysely';
import { JOB_OF_ERROR } from './list-errors.ts';

export const TIMELINE_KINDS = [
  'credits',
  'job',
  'attempt',
  'provider_event',
  'purchase',
  'notification',
  'push',
  'delivery',
  'session',
  'admin_action',
  'error',
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

export type TimelineData = Record<string, string | number | boolean | null>;

export type TimelineSource = {
  kind: TimelineKind;
  table: string;
  /** The column with the account's id. */
  owner: string;
  /** Whether a merged guest's rows stay under the guest's id. */
  staysWithGuest?: true;
  time: string;
  id: { column: string; type: 'bigint' | 'uuid' };
  /** Names and values of the data, as arguments of jsonb_build_object, of the row `t`. */
  data: RawBuilder<unknown>;
  /** One plain sentence, with nothing that the account's owner has written. */
  summary(data: TimelineData): string;
};

export const TIMELINE_SOURCES: readonly TimelineSource[] = [
  {
    kind: 'credits',
    table: 'quota_log',
    owner: 'user_id',
    staysWithGuest: true,
    time: 'created_at',
    id: { column: 'seq', type: 'bigint' },
    data: sql`'id', t.id, 'user_id', t.user_id, 'change', t.change, 'reason', t.reason, 'balance_after', t.balance_after,
      'job_id', t.job_id, 'transaction_id', t.transaction_id, 'purchase_id', t.purchase_id`,
    summary: ({ change, reason, balance_after }) =>
      `The balance changed by ${signed(change)} to ${balance_after} (${reason}).`,
  },
  {
    kind: 'job',
    table: 'video_jobs',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'seq', type: 'bigint' },
    data: sql`'job_id', t.job_id, 'model_id', t.model_id, 'model_name', t.model_name, 'provider', t.provider,
      'provider_job_id', t.provider_job_id, 'status', t.status, 'credits_used', t.credits_used, 'error_code', t.error_code,
      'error_reason', t.error_reason, 'completed_at', t.completed_at, 'deleted_at', t.deleted_at`,
    summary: ({ model_name, credits_used, status, error_code, deleted_at }) =>
      `A video was ordered from ${model_name} for ${creditsOf(credits_used)}: it is ${status}${error_code ? ` (${error_code})` : ''}${
        deleted_at ? ' and deleted' : ''
      }.`,
  },
  {
    kind: 'attempt',
    table: 'provider_attempts',
    owner: 'user_id',
    staysWithGuest: true,
    time: 'created_at',
    id: { column: 'id', type: 'uuid' },
    data: sql`'id', t.id, 'job_id', t.job_id, 'attempt', t.attempt, 'provider', t.provider, 'state', t.state, 'result', t.result,
      'provider_job_id', t.provider_job_id, 'closed_at', t.closed_at, 'ended_at', t.ended_at`,
    summary: ({ attempt, provider, state, result }) =>
      `Attempt ${attempt} to send a job to ${provider} is ${state}${result ? `, and the job there ${ENDED[String(result)] ?? 'ended'}` : ''}.`,
  },
  {
    kind: 'provider_event',
    table: 'provider_events',
    owner: 'user_id',
    staysWithGuest: true,
    time: 'created_at',
    id: { column: 'id', type: 'bigint' },
    data: sql`'id', t.id, 'sender', t.sender, 'job_id', t.job_id, 'provider_job_id', t.provider_job_id, 'effect', t.effect`,
    summary: ({ sender, effect }) => `${sender} sent an event about a job; its effect: ${effect}.`,
  },
  {
    kind: 'purchase',
    table: 'purchases',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'seq', type: 'bigint' },
    data: sql`'id', t.id, 'store', t.store, 'environment', t.environment, 'transaction_id', t.transaction_id,
      'product_id', t.product_id, 'quantity', t.quantity, 'credits', t.credits, 'taken_back', t.taken_back,
      'is_refunded', t.is_refunded, 'price', t.price_milliunits / 1000.0, 'currency', t.currency, 'purchased_at', t.purchased_at`,
    summary: ({ store, product_id, credits, is_refunded, taken_back }) =>
      `${product_id} was bought at ${store} for ${creditsOf(credits)}${is_refunded ? `; it is refunded, and ${taken_back} were taken back` : ''}.`,
  },
  {
    kind: 'notification',
    table: 'store_notifications',
    owner: 'user_id',
    staysWithGuest: true,
    time: 'received_at',
    id: { column: 'seq', type: 'bigint' },
    data: sql`'notification_id', t.notification_id, 'store', t.store, 'type', t.type, 'subtype', t.subtype,
      'transaction_id', t.transaction_id, 'outcome', t.outcome, 'signed_at', t.signed_at, 'processed_at', t.processed_at`,
    summary: ({ store, type, outcome }) =>
      `${store} sent ${type} about a purchase; ${outcome ? `its outcome: ${outcome}` : 'it is not processed yet'}.`,
  },
  {
    kind: 'session',
    table: 'sessions',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'id', type: 'uuid' },
    data: sql`'session_id', t.id, 'refreshed_at', t.refreshed_at, 'expires_at', t.expires_at, 'revoked_at', t.revoked_at`,
    summary: ({ revoked_at }) => `A session was opened${revoked_at ? '; it has been ended since' : ''}.`,
  },
  {
    kind: 'admin_action',
    table: 'admin_actions',
    owner: 'target_user_id',
    staysWithGuest: true,
    time: 'created_at',
    id: { column: 'id', type: 'bigint' },
    data: sql`'id', t.id, 'action_type', t.action_type, 'admin_user_id', t.admin_user_id, 'amount', t.amount, 'reason', t.reason,
      'job_id', t.target_job_id, 'model_id', t.target_model_id, 'target', t.target`,
    summary: ({ action_type, amount, admin_user_id }) =>
      `${admin_user_id ? 'An administrator' : 'The operator'} made a change: ${action_type}${amount === null ? '' : `, ${signed(amount)}`}.`,
  },
  {
    kind: 'error',
    table: 'error_log',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'id', type: 'bigint' },
    data: sql`'id', t.id, 'error_code', t.error_code, 'endpoint', t.endpoint, 'request_id', t.error_details ->> 'request_id',
      'job_id', ${JOB_OF_ERROR}`,
    summary: ({ error_code, endpoint }) => `An error was logged: ${error_code}${endpoint ? ` at ${endpoint}` : ''}.`,
  },
  {
    kind: 'push',
    table: 'pushes',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'id', type: 'uuid' },
    data: sql`'id', t.id, 'job_id', t.job_id, 'push', t.kind, 'state', t.state, 'attempts', t.attempts, 'sent_at', t.sent_at`,
    summary: ({ push, state }) => `A push about a job (${push}) is ${state}.`,
  },
  {
    kind: 'delivery',
    table: 'webhook_deliveries',
    owner: 'user_id',
    time: 'created_at',
    id: { column: 'id', type: 'uuid' },
    data: sql`'id', t.id, 'type', t.type, 'state', t.state, 'attempts', t.attempts, 'last_status', t.last_status,
      'delivered_at', t.delivered_at`,
    summary: ({ type, state }) => `An outgoing webhook, ${type}, is ${state}.`,
  },
];

const ENDED: Record<string, string> = { completed: 'was completed', failed: 'failed', stopped: 'was stopped' };

function creditsOf(count: unknown): string {
  return count === 1 ? '1 credit' : `${count} credits`;
}

function signed(change: unknown): string {
  return typeof change === 'number' && change > 0 ? `+${change}` : String(change);
}
