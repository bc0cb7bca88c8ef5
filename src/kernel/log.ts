/** The stable names of what happens. Dashboards and searches build on them: a name never changes its meaning. */
export type LogEvent =
  | 'request'
  | 'api_error'
  | 'auth_failed'
  | 'rate_limited'
  | 'idempotent_replay'
  | 'user_onboarded'
  | 'user_signed_in'
  | 'account_merged'
  | 'account_deleted'
  | 'refresh_token_reused'
  | 'prompt_blocked'
  | 'video_generation_started'
  | 'video_generation_completed'
  | 'video_generation_error'
  | 'video_generation_cancelled'
  | 'credits_refunded'
  | 'code_redeemed'
  | 'purchase_completed'
  | 'purchase_refused'
  | 'purchase_refunded'
  | 'purchase_refund_reversed'
  | 'purchases_healed'
  | 'store_notification'
  | 'store_notification_processed'
  | 'notification_refused'
  | 'provider_event'
  | 'provider_circuit'
  | 'vendor_key_refused'
  | 'admin_action'
  | 'admin_signed_in';

/** What a line has besides its message. Never a prompt, a token, a device id, an e-mail address or an Apple user's id. */
export type LogFields = { event?: LogEvent; [field: string]: unknown };

/** The part of a structured logger that this code uses; pino satisfies it. */
export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

/** Discards everything: for tools and tests that need no log. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
