import { type CryptoKey, errors, importJWK, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { readText } from './read-text.ts';

/** Apple's keys cannot be fetched, so that nothing is known about a token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

type Options = { url: string; fetch: typeof fetch; clock: Clock; timeoutMs?: number };
type Fetched = { keys: ReadonlyMap<string, CryptoKey>; atMs: number };

/** A key that Apple withdraws counts for so long. */
const FRESH_MS = 10 * 60_000;
/** While Apple cannot be reached, its known keys count for a day. */
const STALE_MAX_MS = 24 * 3600_000;
/** An unknown key id makes the keys be fetched again, at most this often: anyone can invent ids. */
const COOLDOWN_MS = 30_000;
/** Without any key every sign-in fails, so Apple is asked again sooner. */
const EMPTY_COOLDOWN_MS = 1_000;
/** Apple's set has about 2 KB. */
const BYTES_MAX = 100_000;
/** What RS256 requires (RFC 7518). */
const MODULUS_BITS_MIN = 2048;

const KeySet = z.object({ keys: z.array(z.unknown()) });
const RsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1),
  n: z.string(),
  e: z.string(),
  use: z.literal('sig').optional(),
  alg: z.literal('RS256').optional(),
});

/**
 * The keys that verify RS256, by their ids. All others are skipped: Apple may publish keys of another type beside them, and one
 * that cannot be read must not take the rest with it.
 */
async function usableKeys(text: string): Promise<Map<string, CryptoKey>> {
  const usable = new Map<string, CryptoKey>();
  for (const candidate of KeySet.parse(JSON.parse(text)).keys) {
    const { data: jwk } = RsaKey.safeParse(candidate);
    const key = jwk && (await importJWK({ kty: jwk.kty, n: jwk.n, e: jwk.e }, 'RS256').catch(() => null));
    if (key && Object(key.algorithm).modulusLength >= MODULUS_BITS_MIN) usable.set(jwk.kid, key);
  }
  if (usable.size === 0) throw new Error('no usable key');
  return usable;
}

/**
 * Apple's public keys, fetched when they are needed and kept. Throws KeysUnavailable, or JWKSNoMatchingKey for a key that Apple
 * does not have.
 */
export function createIdentityKeys({ url, fetch, clock, timeoutMs = 5_000 }: Options): JWTVerifyGetKey {
  let known: Fetched | null = null;
  let fetching: Promise<Fetched> | null = null;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let lastFailure: unknown = null;
  const nowMs = () => clock.now().getTime();
  // If the clock was set back, the time since is negative: it counts as long ago.
  const isWithin = (sinceMs: number, limitMs: number) => nowMs() - sinceMs >= 0 && nowMs() - sinceMs < limitMs;

  async function download(): Promise<Fetched> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { headers: { Accept: 'application/json' }, signal, redirect: 'error' });
    const body = await readText(response, BYTES_MAX, signal);
    if (response.status !== 200 || !('text' in body)) throw new Error(`answered ${response.status}`);
    // A page of a proxy is no key set.
    return { keys: await usableKeys(body.text), atMs: nowMs() };
  }

  /** One download at a time, for all who wait. */
  function refresh(): Promise<Fetched> {
    fetching ??= download()
      .then((fetched) => {
        lastFailure = null;
        known = fetched;
        return fetched;
      })
      .catch((error: unknown) => {
        lastFailure = error;
        throw new KeysUnavailable('the keys of Sign in with Apple cannot be fetched', { cause: error });
      })
      .finally(() => {
        triedAtMs = nowMs();
        fetching = null;
      });
    return fetching;
  }

  async function current(): Promise<Fetched> {
    const before = known;
    if (before && isWithin(before.atMs, FRESH_MS)) return before;
    // A clock that was set back does not make keys older.
    const isUsable = before !== null && nowMs() - before.atMs < STALE_MAX_MS;
    if (lastFailure && isWithin(triedAtMs, isUsable ? COOLDOWN_MS : EMPTY_COOLDOWN_MS)) {
      // Apple was just asked in vain: the known keys do, without another wait.
      if (isUsable) return before;
      throw new KeysUnavailable('Apple was just asked for its keys in vain', { cause: lastFailure });
    }
    return refresh().catch((error) => {
      if (isUsable) return before;
      throw error;
    });
  }

  return async ({ kid = '' }) => {
    const found = (await current()).keys.get(kid);
    if (found) return found;
    if (isWithin(triedAtMs, COOLDOWN_MS)) {
      if (lastFailure) throw new KeysUnavailable('an unknown key, and Apple cannot be asked', { cause: lastFailure });
      throw new errors.JWKSNoMatchingKey();
    }
    const renewed = (await refresh()).keys.get(kid);
    if (!renewed) throw new errors.JWKSNoMatchingKey();
    return renewed;
  };
}
