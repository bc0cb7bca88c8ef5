/** What operators are told, and who tells them. */

/** Each has a message, and a section of docs/runbook.md. */
export type AlertKind =
  | 'money_invariant'
  | 'store_key'
  | 'vendor_key'
  | 'provider_circuit'
  | 'queue_stalled'
  | 'task_fails'
  | 'disk_full'
  | 'database_pool'
  | 'refund_share'
  | 'outgoing_webhook';

export type Alert = {
  id: string;
  /** What has happened, in one word: `money_invariant`. */
  kind: string;
  /** What it happened to, such as a store; empty if there is only one. */
  subject: string;
  title: string;
  /** What to know and what to do, in lines. No data of users but their ids. */
  text: string;
  raisedAt: Date;
};

/** `cause` names no address and no secret. */
export type AlertResult = { outcome: 'sent' } | { outcome: 'failed'; cause: string };

export type AlertReceiver = {
  /** Stays the same, because the database notes by it who has an alert. */
  name: string;
  /** Sends it once, in bounded time. Never throws. */
  send(alert: Alert, signal: AbortSignal): Promise<AlertResult>;
};
