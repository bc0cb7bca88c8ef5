import assert from 'node:assert/strict';
import { createClient, memoryStorage, type RendioClient, type Storage } from '../../client/src/index.ts';

/** Declined by the sandbox at once: paid for and refunded without any rendering. */
export const DECLINED = '[sandbox:fail]';
/** The sandbox runs it until it is cancelled. */
export const ENDLESS = '[sandbox:timeout]';
export const SHORT = { duration: 1, resolution: '360p' };

type Fetch = typeof globalThis.fetch;
export type Seen = { method: string; path: string; headers: Headers; isAnswered: boolean };

export type Guest = { rendio: RendioClient; storage: Storage; calls: Seen[]; modelId: string };

/** A new client on `storage`, with a list of the calls that it makes. */
export async function newClient(url: string, storage = memoryStorage(), wrap: (next: Fetch) => Fetch = (next) => next) {
  const calls: Seen[] = [];
  const recordingFetch: Fetch = (input, init) => {
    const { pathname, search } = new URL(String(input));
    const headers = new Headers(init?.headers);
    const seen = { method: init?.method ?? 'GET', path: pathname + search, headers, isAnswered: false };
    calls.push(seen);
    return fetch(input, init).then((response) => {
      seen.isAnswered = true;
      return response;
    });
  };
  const rendio = createClient({ url, storage, fetch: wrap(recordingFetch) });
  return { rendio, storage, calls, modelId: await sandboxModel(url) };
}

export async function sandboxModel(url: string): Promise<string> {
  const models = await createClient({ url, storage: memoryStorage() }).models();
  const model = models.find(({ provider }) => provider === 'sandbox');
  assert.ok(model);
  return model.id;
}

/** The value that the client stores under a name. */
export async function readStored<Value>(storage: Storage, name: string): Promise<Value | null> {
  return JSON.parse((await storage.get(`rendio.${name}`)) ?? 'null');
}

export async function writeStored(storage: Storage, name: string, value: unknown): Promise<void> {
  await storage.set(`rendio.${name}`, JSON.stringify(value));
}

/** Resolves once the condition holds; checks every 10 ms, for at most 90 seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 90_000;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `not within 90 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
