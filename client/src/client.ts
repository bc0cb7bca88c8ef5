import { eventsOf } from './events/events.ts';
import { createFeed } from './events/feed.ts';
import { follow } from './generate/follow.ts';
import { createPendings } from './generate/idempotency-keys.ts';
import { PATIENCE_MS, submit } from './generate/submit.ts';
import { createHttp } from './http/http.ts';
import { repeatable } from './http/retry.ts';
import { uuid } from './http/uuid.ts';
import { type ClientOptions, urlsOf } from './options.ts';
import type { RendioClient } from './rendio-client.ts';
import { createApi, withQuery } from './session/api.ts';
import { storedDevice } from './session/device.ts';
import { createLock } from './session/lock.ts';
import { createVault, defaultStorage } from './session/persistent-store.ts';
import { createSessions } from './session/session.ts';
import type { Cancelled, Model } from './types.ts';
import { createUploads, withPath } from './uploads/uploads.ts';

/** After this long nobody expects a request to be fulfilled any more. */
const UNANSWERED_WITHIN_MS = 10 * 60_000;

/** A client of the server at `url`. Makes no call before it is asked to. */
export function createClient(options: ClientOptions = {}): RendioClient {
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
  const pendings = createPendings({ vault, lock, accountId: sessions.accountId, now: () => http.now() });
  const feed = createFeed({ api, http, sessions });
  const uploads = createUploads({
    api: createApi(http, sessions, storageUrl),
    async ownerId(signal) {
      await sessions.token({ signal });
      return (await sessions.accountId()) ?? '';
    },
  });

  const client: RendioClient = {
    async onboard({ again = false, signal } = {}) {
      if (again) {
        const { user_id, credits_remaining, is_new } = await sessions.onboard(signal);
        feed.restart();
        return { user_id, credits_remaining, is_new };
      }
      const isFirst = (await sessions.accountId()) === null;
      await sessions.token({ signal });
      const welcome = isFirst ? sessions.takeWelcome() : null;
      const credits_remaining = welcome?.credits_remaining ?? (await client.credits(signal ? { signal } : {}));
      return { user_id: (await sessions.accountId()) ?? '', credits_remaining, is_new: welcome?.is_new ?? false };
    },
    accountId: () => sessions.accountId(),
    async useSession(session) {
      await sessions.use(session);
      feed.restart();
    },
    async forget() {
      const account = await sessions.accountId();
      await sessions.forget();
      await pendings.drop(account);
      feed.restart();
    },

    async models({ signal } = {}) {
      return (await api.askPublicly<{ models: Model[] }>('get-models', { signal })).models;
    },
    async credits({ signal } = {}) {
      return (await api.ask<{ credits_remaining: number }>('get-user-credits', { signal })).credits_remaining;
    },
    creditHistory({ signal, ...query } = {}) {
      return api.ask(withQuery('get-credit-history', query), { signal });
    },
    profile({ signal } = {}) {
      return api.ask('get-user-profile', { signal });
    },
    updateProfile(change, { signal } = {}) {
      return api.ask('update-user-profile', { method: 'POST', body: change, signal });
    },
    job(jobId, { signal } = {}) {
      return api.ask(withQuery('get-video-status', { job_id: jobId }), { signal });
    },
    jobs({ signal, ...query } = {}) {
      return api.ask(withQuery('get-video-jobs', query), { signal });
    },
    cancel(jobId, { signal } = {}) {
      const headers = { 'Idempotency-Key': uuid() };
      return repeatable(
        () => api.ask<Cancelled>('cancel-video-job', { method: 'POST', body: { job_id: jobId }, headers, signal }),
        signal,
      );
    },
    delete(jobId, { signal } = {}) {
      return repeatable(
        () => api.ask<{ success: true }>('delete-video-job', { method: 'POST', body: { job_id: jobId }, signal }),
        signal,
      );
    },

    uploads,
    async submit(input, options = {}) {
      const request = await withPath(uploads, input, options);
      const started = await submit({ api, pendings }, request, options);
      feed.nudge();
      return started;
    },
    unanswered({ withinMs = UNANSWERED_WITHIN_MS } = {}) {
      return pendings.latest(withinMs);
    },
    async generate(request, options = {}) {
      const { job_id } = await client.submit(request, options);
      return client.follow(job_id, options);
    },
    follow(jobId, options = {}) {
      return follow({ api, feed }, jobId, { patienceMs: PATIENCE_MS, ...options });
    },

    events({ signal, lastEventId } = {}) {
      return eventsOf(lastEventId === undefined ? feed : createFeed({ api, http, sessions }, lastEventId), signal);
    },
    subscribe(listener) {
      return feed.join(listener);
    },
  };
  return client;
}
