import assert from 'node:assert/strict';
import { createClient, memoryStorage, type RendioClient, type Storage } from '../../client/src/index.ts';

/** Declined by the sandbox at once: paid for and refunded without any rendering. */
export const DECLINED = '[sandbox:fail]';
/** Never ends by itself. */
export const ENDLESS = '[sandbox:timeout]';
export const SHORT = { duration: 1, resolution: '360p' };

type Fetch = typeof globalThis.fetch;
export type Seen = { method: string; path: string; headers: Headers; isAnswered: boolean };

export type Guest = { rendio: RendioClient; storage: Storage; calls: Seen[]; modelId: string };

/** A client that was never here before, on `storage`, with a list of the calls that it made. */
export async function newClient(url: string, storage = memoryStorage(), wrap: (next: Fetch) => Fetch = (next) => next) {
  const calls: Seen[] = [];
  const watched: Fetch = (input, init) => {
    const { pathname, search } = new URL(String(input));
    const headers = new Headers(init?.headers);
    const seen = { method: init?.method ?? 'GET', path: pathname + search, headers, isAnswered: false };
    calls.push(seen);
    return fetch(input, init).then((response) => {
      seen.isAnswered = true;
      return response;
    });
  };
  const rendio = createClient({ url, storage, fetch: wrap(watched) });
  return { rendio, storage, calls, modelId: await sandboxModel(url) };
}

export async function sandboxModel(url: string): Promise<string> {
  const models = await createClient({ url, storage: memoryStorage() }).models();
  const model = models.find(({ provider }) => provider === 'sandbox');
  assert.ok(model);
  return model.id;
}

/** What is kept under a name, as the client stores it. */
export async function kept<Value>(storage: Storage, name: string): Promise<Value | null> {
  return JSON.parse((await storage.get(`rendio.${name}`)) ?? 'null');
}

export async function keep(storage: Storage, name: string, value: unknown): Promise<void> {
  await storage.set(`rendio.${name}`, JSON.stringify(value));
}

/** Resolves once it holds; looks every few milliseconds, for 20 seconds at most. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
