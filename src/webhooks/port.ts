/** The operator's own server, which is told of events. */

/** `id` is the same in every attempt. */
export type WebhookMessage = { id: string; body: string };

/**
 * `status`: what the receiver has answered; null if it has not, for the reason `cause`, which names no URL and no IP address.
 * `retryAfterSeconds`: when it wants to be asked again, if it said so.
 */
export type WebhookResult =
  | { status: number; cause: null; retryAfterSeconds: number | null }
  | { status: null; cause: string; retryAfterSeconds: null };

export type WebhookReceiver = {
  /** Sends it once, in bounded time. Never throws. */
  send(message: WebhookMessage, signal: AbortSignal): Promise<WebhookResult>;
};
