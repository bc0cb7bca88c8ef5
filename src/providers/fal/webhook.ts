/** Whether fal sent a webhook: Ed25519 over the request's id, the user's id, the time, and the SHA-256 of the raw body. */
import { z } from 'zod';
import { bytesFromHex, sha256Hex } from '../../kernel/hash.ts';
import type { WebhookDelivery, WebhookVerdict } from '../provider.ts';
import { parseJson } from '../reply.ts';
import { isVendorId } from '../vendor-id.ts';
import type { SigningKeys } from './jwks.ts';

/** How far the sender's clock may be off, either way. */
const SKEW_MAX_SECONDS = 300;
const HEADERS = {
  requestId: 'x-fal-webhook-request-id',
  userId: 'x-fal-webhook-user-id',
  timestamp: 'x-fal-webhook-timestamp',
  signature: 'x-fal-webhook-signature',
};

const eventShape = z.object({ request_id: z.string().refine(isVendorId) });

type Signed = { requestId: string; message: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> };

/** fal signs the events of all customers with the same keys: a valid one is fal's, but its job need not be ours. */
export async function verifyWebhook(
  keys: SigningKeys,
  { headers, body, receivedAt }: WebhookDelivery,
): Promise<WebhookVerdict> {
  const signed = await readSignature(headers, body, receivedAt);
  if ('cause' in signed) return { ok: false, cause: signed.cause };

  const current = await keys.current();
  if (current === null) return { ok: false, cause: 'fal’s keys cannot be had, so nothing can be verified' };
  if (!(await isSignedWithAny(current, signed))) {
    const refetched = await keys.refetch();
    if (refetched === null || !(await isSignedWithAny(refetched, signed))) {
      return { ok: false, cause: 'the signature was made with none of fal’s keys' };
    }
  }
  const event = eventShape.safeParse(parseJson(new TextDecoder().decode(body))).data;
  const requestId = event?.request_id ?? signed.requestId;
  return { ok: true, providerJobId: isVendorId(requestId) ? requestId : null, eventId: null };
}

async function readSignature(headers: Headers, body: Uint8Array, at: Date): Promise<Signed | { cause: string }> {
  const requestId = headers.get(HEADERS.requestId);
  const userId = headers.get(HEADERS.userId);
  const timestamp = headers.get(HEADERS.timestamp);
  const signature = headers.get(HEADERS.signature);
  if (!requestId || !userId || !timestamp || !signature) return { cause: 'a header of the signature is missing' };
  if (!/^\d{1,12}$/.test(timestamp)) return { cause: 'the timestamp is no unix time' };
  if (Math.abs(at.getTime() / 1000 - Number(timestamp)) > SKEW_MAX_SECONDS)
    return { cause: 'it is too old, or from the future' };
  if (!/^[0-9a-f]{128}$/i.test(signature)) return { cause: 'the signature is not 64 bytes of hex' };

  const text = [requestId, userId, timestamp, await sha256Hex(Uint8Array.from(body))].join('\n');
  return { requestId, message: new TextEncoder().encode(text), signature: Uint8Array.from(bytesFromHex(signature)) };
}

/** An event does not name its key: all of them are tried. */
async function isSignedWithAny(keys: readonly CryptoKey[], { message, signature }: Signed): Promise<boolean> {
  const verdicts = await Promise.all(keys.map((key) => crypto.subtle.verify('Ed25519', key, signature, message)));
  return verdicts.includes(true);
}
