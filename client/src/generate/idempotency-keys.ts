/** Idempotency keys, stored with their requests from before the first attempt until an answer is definitive. */

import { uuid } from '../http/uuid.ts';
import type { Lock } from '../session/lock.ts';
import type { PersistentStore } from '../session/persistent-store.ts';
import type { GenerateRequest } from '../types.ts';

/** A request that was sent and never answered. `at`: when it was first sent, in unix milliseconds by the server's clock. */
export type Unanswered = { request: GenerateRequest; idempotencyKey: string; at: number };

type StoredKey = { key: string; request: GenerateRequest; account: string | null; at: number };

export type IdempotencyKeys = {
  /** Stores and returns a key for the request: `key`, or the key of the same request without an answer, or a new one. */
  acquire(request: GenerateRequest, key?: string): Promise<{ key: string; isNew: boolean }>;
  /** Deletes a key, because its answer was definitive. */
  release(key: string): Promise<void>;
  /** The account's latest request that is not older than `withinMs`. */
  latestUnanswered(withinMs: number): Promise<Unanswered | null>;
  /** Deletes the keys of an account (all ids that address it) that this client cannot open any more. */
  forgetAccount(ids: readonly string[]): Promise<void>;
};

/** The server remembers a key for 24 hours; after that the same key would be charged again. */
const KEEP_MS = 23 * 3_600_000;

export function createIdempotencyKeys(options: {
  store: PersistentStore;
  lock: Lock;
  /** All ids that address the account, its own first: a guest's keys are the account's that it became a part of. */
  accountIds: () => Promise<string[]>;
  now: () => number;
}): IdempotencyKeys {
  const { store, lock, accountIds, now } = options;

  async function readUnexpired(): Promise<StoredKey[]> {
    const all = await store.get<StoredKey[]>('pending');
    return Array.isArray(all) ? all.filter(({ at }) => now() - at < KEEP_MS) : [];
  }

  /** Every change holds the lock, so that two requests at the same time, also in two tabs, both keep their keys. */
  function change<Result>(work: (all: StoredKey[]) => [StoredKey[], Result]): Promise<Result> {
    return lock('pending', async () => {
      const [next, result] = work(await readUnexpired());
      await store.set('pending', next.length > 0 ? next : null);
      return result;
    });
  }

  return {
    async acquire(request, wanted) {
      const ids = await accountIds();
      const [account = null] = ids;
      return change((all) => {
        const old = newest(all, (each) =>
          wanted ? each.key === wanted : isOf(ids, each) && canonical(each.request) === canonical(request),
        );
        const stored = { key: old?.key ?? wanted ?? uuid(), request, account, at: old?.at ?? now() };
        return [[...all.filter((each) => each !== old), stored], { key: stored.key, isNew: !old }];
      });
    },
    release: (released) => change((all) => [all.filter(({ key }) => key !== released), undefined]),
    async latestUnanswered(withinMs) {
      const ids = await accountIds();
      const found = newest(await readUnexpired(), (each) => isOf(ids, each) && now() - each.at < withinMs);
      return found ? { request: found.request, idempotencyKey: found.key, at: found.at } : null;
    },
    forgetAccount: (ids) =>
      change((all) => [all.filter(({ account }) => account !== null && !ids.includes(account)), undefined]),
  };
}

/** A key without an account was made before the first onboarding. */
function isOf(ids: readonly string[], { account }: StoredKey): boolean {
  return account === null || ids.includes(account);
}

/** The last one that fits. Without `findLast`, which older runtimes lack. */
function newest(all: StoredKey[], fits: (each: StoredKey) => boolean): StoredKey | undefined {
  return [...all].reverse().find(fits);
}

/** The same text for requests that the server treats as the same. */
function canonical({ model_id, prompt, settings, image_url }: GenerateRequest): string {
  return JSON.stringify([model_id.toLowerCase(), prompt.trim(), sortKeys(settings ?? {}), image_url ?? null]);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
}
