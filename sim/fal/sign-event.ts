import type { Clock } from '../../src/kernel/clock.ts';
import { type Identity, newSigningKey, signedHeaders } from './identity.ts';
import type { Forgery } from './webhook-faults.ts';

export type SignedEvent = { body: string; headers: Record<string, string> };

/** Twice the 300 s that fal's documentation allows. */
const STALE_SECONDS = 600;

/** Signs an event as fal does, or as the forgery says. */
export function signEvent(
  { identity, clock }: { identity: Identity; clock: Clock },
  body: string,
  requestId: string,
  forgery?: Forgery,
): SignedEvent {
  const shiftSeconds = forgery === 'stale' ? -STALE_SECONDS : forgery === 'future' ? STALE_SECONDS : 0;
  const timestampSeconds = Math.floor(clock.now().getTime() / 1000) + shiftSeconds;
  const signingKey = forgery === 'other_key' ? newSigningKey() : (identity.signingKeys.at(-1) ?? '');
  const { userId } = identity;
  const headers = signedHeaders({ signingKey, requestId, userId, timestampSeconds, body });
  const json = { 'content-type': 'application/json' };
  return {
    body: forgery === 'changed_body' ? `${body} ` : body,
    headers: forgery === 'unsigned' ? json : { ...json, ...headers },
  };
}
