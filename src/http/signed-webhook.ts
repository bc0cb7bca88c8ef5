/** Verifies webhooks of senders that share a secret with this server: an HMAC over the raw body. */
import { bytesFromHex } from '../kernel/hash.ts';

/** How far the sender's clock may differ from ours, in either direction. */
const SKEW_MAX_SECONDS = 300;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

export type SignedWebhook = { headers: Headers; body: Uint8Array; receivedAt: Date };

/**
 * Whether the sender knows the secret. `X-Webhook-Signature` is the lower-case hex HMAC-SHA256 of the body or, if
 * `X-Webhook-Timestamp` (unix seconds) is sent, of `<timestamp>.<body>`, which is then valid for five minutes.
 */
export type VerifySignedWebhook = (webhook: SignedWebhook) => Promise<boolean>;

export function createSignedWebhooks(secret: string): VerifySignedWebhook {
  const key = crypto.subtle.importKey('raw', new TextEncoder().encode(secret), HMAC, false, ['verify']);
  // Verifying throws this error; until then, an unhandled rejection must not end the process.
  key.catch(() => {});
  return async ({ headers, body, receivedAt }) => {
    const signature = headers.get('X-Webhook-Signature') ?? '';
    const timestamp = headers.get('X-Webhook-Timestamp');
    if (!/^[0-9a-f]{64}$/.test(signature)) return false;
    if (timestamp !== null && !isRecent(timestamp, receivedAt)) return false;
    const prefix = new TextEncoder().encode(timestamp === null ? '' : `${timestamp}.`);
    const signed = new Uint8Array(prefix.byteLength + body.byteLength);
    signed.set(prefix);
    signed.set(body, prefix.byteLength);
    return crypto.subtle.verify(HMAC, await key, Uint8Array.from(bytesFromHex(signature)), signed);
  };
}

function isRecent(timestamp: string, at: Date): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(at.getTime() / 1000 - Number(timestamp)) <= SKEW_MAX_SECONDS;
}
