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
  /** The keys as they are known; null while they cannot be had. */
  current(): Promise<readonly CryptoKey[] | null>;
  /** Asks again, for a signature that none of the keys made; null when it was asked too recently, or in vain. */
  refetched(): Promise<readonly CryptoKey[] | null>;
};

/** As fal's documentation says. */
const CACHE_MAX_MS = 24 * 3_600_000;
/** Anybody can send forged events: they make us ask no more often than this, and a sender is not kept waiting for long. */
const ASK_INTERVAL_MS = 60_000;
const RETRY_INTERVAL_MS = 5_000;
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
  let asking: Promise<Known | null> | null = null;

  async function ask(): Promise<Known | null> {
    const reply = await call(fetch, { method: 'GET', url }, AbortSignal.timeout(TIMEOUT_MS));
    const isGood = reply.got === 'reply' && reply.status === 200;
    const keys = isGood ? await keysIn(parseJson(reply.text)) : [];
    if (keys.length > 0) {
      notBeforeMs = nowMs() + ASK_INTERVAL_MS;
      known = { keys, atMs: nowMs() };
      return known;
    }
    notBeforeMs = nowMs() + RETRY_INTERVAL_MS;
    const cause = reply.got === 'nothing' ? reply.cause : `answered ${reply.status} without a usable key`;
    log.warn({ cause }, 'fal’s webhook keys cannot be read');
    return null;
  }

  /** One question for all who wait. */
  function refreshed(): Promise<Known | null> {
    if (asking) return asking;
    if (nowMs() < notBeforeMs) return Promise.resolve(null);
    asking = ask().finally(() => {
      asking = null;
    });
    return asking;
  }

  return {
    async current() {
      if (known && nowMs() - known.atMs < CACHE_MAX_MS) return known.keys;
      return (await refreshed())?.keys ?? null;
    },
    refetched: async () => (await refreshed())?.keys ?? null,
  };
}

async function keysIn(jwks: unknown): Promise<CryptoKey[]> {
  const listed = jwksShape.safeParse(jwks).data?.keys ?? [];
  const keys = await Promise.all(
    listed.map(async (candidate) => {
      const key = keyShape.safeParse(candidate).data;
      // A key of another kind, or a broken one, does not spoil the others.
      return key ? crypto.subtle.importKey('jwk', key, 'Ed25519', false, ['verify']).catch(() => null) : null;
    }),
  );
  return keys.filter((key) => key !== null);
}
