type Awaitable<Value> = Value | Promise<Value>;

/** Where the client stores its session, its device id and its idempotency keys. Use one storage per server. */
export type Storage = {
  get(key: string): Awaitable<string | null>;
  set(key: string, value: string): Awaitable<void>;
  remove(key: string): Awaitable<void>;
  /**
   * Calls the listener when another tab or process has changed a value; returns a function that stops. The default storage
   * of a page has it. Without it a client notices such a change at its next call.
   */
  watch?(listener: (key: string, before: string | null, after: string | null) => void): () => void;
};

/** A storage in memory: its contents are lost when the process ends or the page is closed. */
export function memoryStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
  };
}

let pageStorage: Storage | undefined;

/**
 * In a page, which has one user, the same storage for all clients: `localStorage` where it works, else memory. Elsewhere a
 * memory for this client alone: a server's process may have a client for each of its users.
 */
export function defaultStorage(): Storage {
  // Node and Deno also have a localStorage, which needs a file to be configured; only a page has a document.
  if (typeof document === 'undefined') return memoryStorage();
  pageStorage ??= findBrowserStorage() ?? memoryStorage();
  return pageStorage;
}

function findBrowserStorage(): Storage | null {
  try {
    localStorage.getItem('rendio');
  } catch {
    return null;
  }
  return {
    get: (key) => localStorage.getItem(key),
    set: (key, value) => localStorage.setItem(key, value),
    remove: (key) => localStorage.removeItem(key),
    watch(listener) {
      const onStorage = ({ storageArea, key, oldValue, newValue }: StorageEvent) => {
        if (storageArea === localStorage && key !== null) listener(key, oldValue, newValue);
      };
      addEventListener('storage', onStorage);
      return () => removeEventListener('storage', onStorage);
    },
  };
}

/** JSON values by name in a storage. Values that the storage cannot take are kept in memory. Never throws. */
export type PersistentStore = {
  /** The value, or null. */
  get<Value>(name: string): Promise<Value | null>;
  /** Null deletes the value. */
  set(name: string, value: unknown): Promise<void>;
};

const PREFIX = 'rendio.';
/** Under which key of the storage the session is. */
export const SESSION_KEY = `${PREFIX}session`;

export function createPersistentStore(storage: Storage): PersistentStore {
  /** Values that could not be saved. They are newer than what the storage may still hold. */
  const unsaved = new Map<string, unknown>();
  return {
    async get(name) {
      if (unsaved.has(name)) return asStored(unsaved.get(name));
      try {
        return asStored(JSON.parse((await storage.get(PREFIX + name)) ?? 'null'));
      } catch {
        return null;
      }
    },
    async set(name, value) {
      unsaved.set(name, value);
      try {
        if (value === null) await storage.remove(PREFIX + name);
        else await storage.set(PREFIX + name, JSON.stringify(value));
        unsaved.delete(name);
      } catch {
        // The storage is full or not allowed: the value stays in memory.
      }
    },
  };
}

/** The cast for stored values: only `set` writes under these names, so a value has the type that was stored. */
function asStored<Value>(value: unknown): Value | null {
  return value as Value | null;
}
