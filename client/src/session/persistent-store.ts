type Awaitable<Value> = Value | Promise<Value>;

/** Where the client keeps its session, its device id and its idempotency keys. One storage serves one server. */
export type Storage = {
  get(key: string): Awaitable<string | null>;
  set(key: string, value: string): Awaitable<void>;
  remove(key: string): Awaitable<void>;
};

/** Forgets everything when the process ends or the page is left. */
export function memoryStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
  };
}

const shared = memoryStorage();

/** `localStorage` where it works, else memory: the same one for all clients of a page or process. */
export function defaultStorage(): Storage {
  return browserStorage ?? shared;
}

const browserStorage = findBrowserStorage();

function findBrowserStorage(): Storage | null {
  // Node and Deno have a localStorage of sorts, which asks for a file to be named; a page has a document.
  if (typeof document === 'undefined') return null;
  try {
    localStorage.getItem('rendio');
  } catch {
    return null;
  }
  return {
    get: (key) => localStorage.getItem(key),
    set: (key, value) => localStorage.setItem(key, value),
    remove: (key) => localStorage.removeItem(key),
  };
}

/** Values by name, kept in a storage, and in memory as long as that does not take them. Never throws. */
export type Vault = {
  /** What was kept under the name, or null. */
  recall<Value>(name: string): Promise<Value | null>;
  /** Null forgets it. */
  remember(name: string, value: unknown): Promise<void>;
};

const PREFIX = 'rendio.';

export function createVault(storage: Storage): Vault {
  /** What the storage did not take: newer than what it may still hold. */
  const unkept = new Map<string, unknown>();
  return {
    async recall(name) {
      if (unkept.has(name)) return reviveAs(unkept.get(name));
      try {
        return reviveAs(JSON.parse((await storage.get(PREFIX + name)) ?? 'null'));
      } catch {
        return null;
      }
    },
    async remember(name, value) {
      unkept.set(name, value);
      try {
        if (value === null) await storage.remove(PREFIX + name);
        else await storage.set(PREFIX + name, JSON.stringify(value));
        unkept.delete(name);
      } catch {
        // Full or forbidden: the client goes on without.
      }
    },
  };
}

/** The one place that trusts stored text: only `remember` writes under these names. */
function reviveAs<Value>(value: unknown): Value | null {
  return value as Value | null;
}
