import { createFeed, type Feed } from './events/feed.ts';
import { createPendings, type Pendings } from './generate/idempotency-keys.ts';
import { createHttp } from './http/http.ts';
import { type ClientOptions, urlsOf } from './options.ts';
import { type Api, createApi } from './session/api.ts';
import { storedDevice } from './session/device.ts';
import { createLock } from './session/lock.ts';
import { createVault, defaultStorage } from './session/persistent-store.ts';
import { createSessions, type Sessions } from './session/session.ts';
import { createUploads, type Uploads } from './uploads/uploads.ts';

/** What the methods of a client are made of. */
export type Parts = {
  api: Api;
  sessions: Sessions;
  pendings: Pendings;
  uploads: Uploads;
  /** The feed that all listeners of this client share. */
  feed: Feed;
  /** A feed of its own, which begins after `lastEventId`. */
  openFeed(lastEventId: string): Feed;
};

/** Wires the parts of a client together. Makes no call. */
export function createParts(options: ClientOptions): Parts {
  const { functionsUrl, authUrl, storageUrl } = urlsOf(options);
  const { language, device, timeoutMs = 20_000 } = options;
  const storage = options.storage ?? defaultStorage();
  const vault = createVault(storage);
  const lock = createLock(storage);
  const http = createHttp({
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    language: typeof language === 'function' ? language : () => language,
    apikey: options.apikey,
    timeoutMs,
  });
  const sessions = createSessions({
    http,
    vault,
    lock,
    authUrl,
    functionsUrl,
    device: device === null ? null : async () => (device ? device() : storedDevice(vault)),
  });
  const api = createApi(http, sessions, functionsUrl);
  return {
    api,
    sessions,
    pendings: createPendings({ vault, lock, accountId: sessions.accountId, now: () => http.now() }),
    uploads: createUploads({
      api: createApi(http, sessions, storageUrl),
      async ownerId(signal) {
        await sessions.token({ signal });
        return (await sessions.accountId()) ?? '';
      },
    }),
    feed: createFeed({ api, http, sessions }),
    openFeed: (lastEventId) => createFeed({ api, http, sessions }, lastEventId),
  };
}
