/**
 * The keys that fal signs its webhooks with, as fal publishes them. jose's remote JWK set does not fit: it picks one key for
 * the header of a JWS, which fal's signature is not, and after a failed fetch it asks again at once.
 */
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { parseJson } from '../reply.ts';
import { call } from './call.ts';

export type SigningKeys = {
  /** The known keys; null where there are none and they cannot be fetched. */
  current(): Promise<readonly CryptoKey[] | null>;
  /** Fetches the keys again, for a signature by none of them; null when they were fetched too recently, or in vain. */
  refetch(): Promise<readonly CryptoKey[] | null>;
};

/** As fal's documentation says. */
const CACHE_MAX_MS = 24 * 3_600_000;
/** Forged events, which anyone can send, cause no more fetches than this. */
const REFETCH_INTERVAL_MS = 60_000;
const RETRY_INTERVAL_MS = 5_000;
/** The sender of a webhook waits meanwhile. */
const TIMEOUT_MS = 5_000;

const jwksShape = z.object({ keys: z.array(z.unknown()) });
const keyShape = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() });

type Known = { keys: readonly CryptoKey[]; atMs: number };

export function createSigningKeys(options: {
  restUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
}): SigningKeys {
  const { fetch, clock, log } = options;
  const url = `${options.restUrl.replace(/\/+$/, '')}/.well-known/jwks.json`;
  const nowMs = () => clock.now().getTime();
  let known: Known | null = null;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let pending: Promise<Known | null> | null = null;

  async function fetchKeys(): Promise<Known | null> {
    const reply = await call(fetch, { method: 'GET', url }, AbortSignal.timeout(TIMEOUT_MS));
    const isGood = reply.got === 'reply' && reply.status === 200;
    const keys = isGood ? await keysIn(parseJson(reply.text)) : [];
    if (keys.length > 0) {
      notBeforeMs = nowMs() + REFETCH_INTERVAL_MS;
      known = { keys, atMs: nowMs() };
      return known;
    }
    notBeforeMs = nowMs() + RETRY_INTERVAL_MS;
    const cause = reply.got === 'nothing' ? reply.cause : `answered ${reply.status} without a usable key`;
    log.warn({ cause }, 'fal’s webhook keys cannot be read');
    return null;
  }

  /** Events that wait for keys share one fetch. */
  function refetch(): Promise<Known | null> {
    if (pending) return pending;
    if (nowMs() < notBeforeMs) return Promise.resolve(null);
    pending = fetchKeys().finally(() => {
      pending = null;
    });
    return pending;
  }

  return {
    async current() {
      if (known && nowMs() - known.atMs < CACHE_MAX_MS) return known.keys;
      return (await refetch())?.keys ?? null;
    },
    refetch: async () => (await refetch())?.keys ?? null,
  };
}

async function keysIn(jwks: unknown): Promise<CryptoKey[]> {
  const listed = jwksShape.safeParse(jwks).data?.keys ?? [];
  const keys = await Promise.all(
    listed.map(async (candidate) => {
      const key = keyShape.safeParse(candidate).data;
      // A key of another kind, or an invalid one, does not affect the others.
      return key ? crypto.subtle.importKey('jwk', key, 'Ed25519', false, ['verify']).catch(() => null) : null;
    }),
  );
  return keys.filter((key) => key !== null);
}
