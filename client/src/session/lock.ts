import type { Storage } from './persistent-store.ts';

/** One after the other among all clients of a storage: in this process, and across tabs where the browser has locks. */
export type Lock = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

const tails = new WeakMap<Storage, Map<string, Promise<unknown>>>();

export function createLock(storage: Storage): Lock {
  const last = tails.get(storage) ?? new Map<string, Promise<unknown>>();
  tails.set(storage, last);
  return (name, work) => {
    const before = last.get(name) ?? Promise.resolve();
    const turn = before.then(() => acrossTabs(`rendio.${name}`, work));
    last.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  };
}

async function acrossTabs<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  // Only pages share a storage with others that do not share this memory.
  if (typeof document === 'undefined' || typeof navigator === 'undefined' || !navigator.locks) return work();
  let hasBegun = false;
  try {
    return await navigator.locks.request(name, () => {
      hasBegun = true;
      return work();
    });
  } catch (error) {
    // A sandboxed frame may not lock.
    if (hasBegun) throw error;
    return work();
  }
}
