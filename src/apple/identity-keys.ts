import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { readText } from './read-text.ts';

/** Apple's keys cannot be fetched, so that nothing is known about a token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

type Options = { url: string; fetch: typeof fetch; clock: Clock; timeoutMs?: number };
type Fetched = { find: ReturnType<typeof createLocalJWKSet>; atMs: number };

/** A key that Apple withdraws counts for so long. */
const FRESH_MS = 10 * 60_000;
/** While Apple cannot be reached, its known keys count for a day. */
const STALE_MAX_MS = 24 * 3600_000;
/** An unknown key id makes the keys be fetched again, at most this often: anyone can invent ids. */
const COOLDOWN_MS = 30_000;
/** Apple's set has about 2 KB. */
const BYTES_MAX = 100_000;

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** Apple's public keys, fetched when they are needed and kept. Throws KeysUnavailable, or jose's error for an unknown key. */
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
    const keys: unknown = KeySet.parse(JSON.parse(body.text));
    return { find: createLocalJWKSet(keys as JSONWebKeySet), atMs: nowMs() };
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
    const isUsable = before !== null && isWithin(before.atMs, STALE_MAX_MS);
    // Apple was just asked in vain: the known keys do, without another wait.
    if (isUsable && lastFailure && isWithin(triedAtMs, COOLDOWN_MS)) return before;
    return refresh().catch((error) => {
      if (isUsable) return before;
      throw error;
    });
  }

  return async (header, token) => {
    const keys = await current();
    try {
      return await keys.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (isWithin(triedAtMs, COOLDOWN_MS)) {
        if (lastFailure) throw new KeysUnavailable('an unknown key, and Apple cannot be asked', { cause: lastFailure });
        throw error;
      }
      return (await refresh()).find(header, token);
    }
  };
}
