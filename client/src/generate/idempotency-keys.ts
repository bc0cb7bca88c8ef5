/** Idempotency keys, kept with their requests from before the first try until an answer is definitive. */

import { uuid } from '../http/uuid.ts';
import type { Lock } from '../session/lock.ts';
import type { Vault } from '../session/persistent-store.ts';
import type { GenerateRequest } from '../types.ts';

/** A request that was sent and never answered. `at`: when it was first sent, unix milliseconds by the server's clock. */
export type Unanswered = { request: GenerateRequest; idempotencyKey: string; at: number };

type Pending = { key: string; request: GenerateRequest; account: string | null; at: number };

export type Pendings = {
  /** The key to send the request with, stored: `key`, or that of the same request without an answer, or a new one. */
  take(request: GenerateRequest, key?: string): Promise<{ key: string; isNew: boolean }>;
  /** The answer was definitive. */
  settle(key: string): Promise<void>;
  /** The account's latest that is not older than `withinMs`. */
  latest(withinMs: number): Promise<Unanswered | null>;
  /** Those of an account that nobody can open any more. */
  drop(account: string | null): Promise<void>;
};

/** The server remembers a key for 24 hours; later it would be paid for again. */
const KEPT_MS = 23 * 3_600_000;

export function createPendings(options: {
  vault: Vault;
  lock: Lock;
  accountId: () => Promise<string | null>;
  now: () => number;
}): Pendings {
  const { vault, lock, accountId, now } = options;

  async function living(): Promise<Pending[]> {
    const all = await vault.recall<Pending[]>('pending');
    return Array.isArray(all) ? all.filter(({ at }) => now() - at < KEPT_MS) : [];
  }

  /** Every change is one turn: two requests at once, also of two tabs, each keep their key. */
  function change<Result>(work: (all: Pending[]) => [Pending[], Result]): Promise<Result> {
    return lock('pending', async () => {
      const [next, result] = work(await living());
      await vault.remember('pending', next.length > 0 ? next : null);
      return result;
    });
  }

  return {
    async take(request, wanted) {
      const account = await accountId();
      const isOurs = (each: Pending) => each.account === null || each.account === account;
      return change((all) => {
        const old = all.findLast((each) =>
          wanted ? each.key === wanted : isOurs(each) && canonical(each.request) === canonical(request),
        );
        const kept = { key: old?.key ?? wanted ?? uuid(), request, account, at: old?.at ?? now() };
        return [[...all.filter((each) => each !== old), kept], { key: kept.key, isNew: !old }];
      });
    },
    settle: (settled) => change((all) => [all.filter(({ key }) => key !== settled), undefined]),
    async latest(withinMs) {
      const account = await accountId();
      const isOurs = (each: Pending) => each.account === null || each.account === account;
      const found = (await living()).findLast((each) => isOurs(each) && now() - each.at < withinMs);
      return found ? { request: found.request, idempotencyKey: found.key, at: found.at } : null;
    },
    drop: (account) => change((all) => [all.filter((each) => each.account !== account), undefined]),
  };
}

/** Equal for requests that the server takes for the same. */
function canonical({ model_id, prompt, settings, image_url }: GenerateRequest): string {
  return JSON.stringify([model_id.toLowerCase(), prompt.trim(), sorted(settings ?? {}), image_url ?? null]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
