/** What devices are told while the app is closed. */

export type PushEnvironment = 'production' | 'sandbox';

export type Push = {
  /** A UUID. The same when it is sent once more, so that a device shows it once. */
  id: string;
  /** Hexadecimal, in lower case. */
  token: string;
  /** Which of the vendor's servers knows the token. */
  environment: PushEnvironment;
  title: string;
  body: string;
  /** What the app finds beside the text, such as which video it is about. */
  data: Readonly<Record<string, string>>;
  /** A device shows the newest push with the same one. At most 64 bytes. */
  collapseId: string;
  /** Pushes with the same one are shown as a group. */
  threadId: string;
  /** After this it is no news: a device that was off until then does not get it. */
  expiresAt: Date;
};

/** `reason`: the vendor's, or what happened on the way; without tokens, texts and addresses. */
export type PushResult =
  | { outcome: 'sent' }
  /** The device has no such token any more. `goneAt`: since when the vendor knows; null: it does not say. */
  | { outcome: 'token_gone'; reason: string; goneAt: Date | null }
  /** The vendor does not accept our own key. Other pushes fare the same until that is repaired. */
  | { outcome: 'key_refused'; reason: string }
  /** Not now, or no answer, which is no verdict: to be sent again. `retryAfterMs`: what the vendor asks for. */
  | { outcome: 'retry'; reason: string; retryAfterMs: number | null }
  /** This push is never accepted. */
  | { outcome: 'declined'; reason: string };

/** Sends it, in bounded time. Never throws. */
export type SendPush = (push: Push, signal: AbortSignal) => Promise<PushResult>;

export type PushService = {
  /** Null where this runtime cannot: a worker on Node sends. */
  send: SendPush | null;
  close(): Promise<void>;
};
