import { canStream } from './events/can-stream.ts';
import { createFeed, type Feed } from './events/feed.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './generate/idempotency-keys.ts';
import { createHttp, type Http } from './http/http.ts';
import { type ClientOptions, urlsOf } from './options.ts';
import { type Api, createApi } from './session/api.ts';
import { storedDevice } from './session/device.ts';
import { createLock } from './session/lock.ts';
import { createPersistentStore, defaultStorage } from './session/persistent-store.ts';
import { createSessions, type Sessions } from './session/session.ts';
import { createSessionChanges } from './session/session-changes.ts';
import { createUploads, type Uploads } from './uploads/uploads.ts';

/** What the client's methods use. */
export type Parts = {
  api: Api;
  /** Calls the auth endpoints. */
  auth: Api;
  http: Http;
  authUrl: string;
  functionsUrl: string;
  sessions: Sessions;
  idempotencyKeys: IdempotencyKeys;
  uploads: Uploads;
  /** The feed that all listeners of this client share. */
  feed: Feed;
  /** A separate feed that begins after `lastEventId`. */
  openFeed(lastEventId: string): Feed;
};

/** Creates the parts of a client. Sends no request. */
export function createParts(options: ClientOptions): Parts {
  const { functionsUrl, authUrl, storageUrl } = urlsOf(options);
  const { language, device, timeoutMs = 20_000 } = options;
  const storage = options.storage ?? defaultStorage();
  const store = createPersistentStore(storage);
  const lock = createLock(storage);
  const http = createHttp({
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    language: typeof language === 'function' ? language : () => language,
    apikey: options.apikey,
    timeoutMs,
  });
  const sessions = createSessions({
    http,
    store,
    changes: createSessionChanges(storage),
    lock,
    authUrl,
    functionsUrl,
    device: device === null ? null : async () => (device ? device() : storedDevice(store)),
  });
  const api = createApi(http, sessions, functionsUrl);
  const gateways = { api, http, sessions, canStream: options.fetch !== undefined || canStream() };
  return {
    api,
    auth: createApi(http, sessions, authUrl),
    http,
    authUrl,
    functionsUrl,
    sessions,
    idempotencyKeys: createIdempotencyKeys({ store, lock, accountIds: sessions.accountIds, now: () => http.now() }),
    uploads: createUploads({
      api: createApi(http, sessions, storageUrl),
      async ownerId(signal) {
        await sessions.token({ signal });
        return (await sessions.accountId()) ?? '';
      },
    }),
    feed: createFeed(gateways),
    openFeed: (lastEventId) => createFeed(gateways, lastEventId),
  };
}
