import { mergeGuest, signInWithApple } from './account/apple.ts';
import { deleteAccount, signOut } from './account/leave.ts';
import { openCheckout, readProducts, redeem, reportPurchase } from './account/purchases.ts';
import { changePushToken } from './account/push.ts';
import { iterateEvents } from './events/events.ts';
import { follow } from './generate/follow.ts';
import { PATIENCE_MS, submit } from './generate/submit.ts';
import { withRetry } from './http/retry.ts';
import { uuid } from './http/uuid.ts';
import type { ClientOptions } from './options.ts';
import { createParts, type Parts } from './parts.ts';
import type { RendioClient } from './rendio-client.ts';
import { withQuery } from './session/api.ts';
import type { Cancelled, Model, SessionInfo } from './types.ts';
import { withUploadedImage } from './uploads/uploads.ts';

/** An unanswered request older than this is not offered for a retry: the user no longer expects it. */
const UNANSWERED_WITHIN_MS = 10 * 60_000;

/** A client of the server at `url`. Sends no request until one of its methods is called. */
export function createClient(options: ClientOptions = {}): RendioClient {
  const parts = createParts(options);
  return {
    ...sessionMethods(parts),
    ...accountMethods(parts),
    ...peopleMethods(parts),
    ...purchaseMethods(parts),
    ...pushMethods(parts),
    ...jobMethods(parts),
    uploads: parts.uploads,
    ...generateMethods(parts),
    ...eventMethods(parts),
  };
}

type SessionMethods = Pick<RendioClient, 'onboard' | 'accountId' | 'useSession' | 'forget' | 'onSessionChange'>;

function sessionMethods({ api, sessions, idempotencyKeys }: Parts): SessionMethods {
  return {
    async onboard({ again = false, signal } = {}) {
      if (again || (await sessions.isOver())) {
        const { user_id, credits_remaining, is_new } = await sessions.onboard(signal);
        return { user_id, credits_remaining, is_new };
      }
      const isFirst = (await sessions.accountId()) === null;
      await sessions.token({ signal });
      const welcome = isFirst ? sessions.takeOnboarded() : null;
      const credits_remaining = welcome?.credits_remaining ?? (await readCredits(api, signal));
      return { user_id: (await sessions.accountId()) ?? '', credits_remaining, is_new: welcome?.is_new ?? false };
    },
    accountId: () => sessions.accountId(),
    useSession: (session) => sessions.use(session),
    async forget() {
      const ids = await sessions.accountIds();
      await sessions.forget();
      await idempotencyKeys.forgetAccount(ids);
    },
    onSessionChange: (listener) => sessions.onChange(listener),
  };
}

type PeopleMethods = Pick<
  RendioClient,
  'mergeGuest' | 'signInWithApple' | 'sessions' | 'revokeSession' | 'signOut' | 'exportAccount' | 'deleteAccount'
>;

function peopleMethods(parts: Parts): PeopleMethods {
  const { api, sessions, idempotencyKeys } = parts;
  return {
    mergeGuest: (proof, { signal } = {}) => mergeGuest(parts, proof, signal),
    signInWithApple: (proof, { signal } = {}) => signInWithApple(parts, proof, signal),
    async sessions({ signal } = {}) {
      return (await api.request<{ sessions: SessionInfo[] }>('get-sessions', { signal })).sessions;
    },
    async revokeSession(session_id, { signal } = {}) {
      await withRetry(() => api.request('revoke-session', { method: 'POST', body: { session_id }, signal }), signal);
    },
    signOut: ({ scope = 'local', signal } = {}) => signOut(parts, scope, signal),
    exportAccount: ({ signal } = {}) => api.open('export-account', { signal }),
    async deleteAccount({ signal } = {}) {
      const ids = await sessions.accountIds();
      await deleteAccount(parts, signal);
      await idempotencyKeys.forgetAccount(ids);
    },
  };
}

type AccountMethods = Pick<RendioClient, 'models' | 'credits' | 'creditHistory' | 'profile' | 'updateProfile'>;

function accountMethods({ api }: Parts): AccountMethods {
  return {
    async models({ signal } = {}) {
      return (await api.requestWithoutToken<{ models: Model[] }>('get-models', { signal })).models;
    },
    async credits({ signal } = {}) {
      return readCredits(api, signal);
    },
    creditHistory({ signal, ...query } = {}) {
      return api.request(withQuery('get-credit-history', query), { signal });
    },
    profile({ signal } = {}) {
      return api.request('get-user-profile', { signal });
    },
    updateProfile(change, { signal } = {}) {
      return api.request('update-user-profile', { method: 'POST', body: change, signal });
    },
  };
}

async function readCredits(api: Parts['api'], signal: AbortSignal | undefined): Promise<number> {
  return (await api.request<{ credits_remaining: number }>('get-user-credits', { signal })).credits_remaining;
}

type PurchaseMethods = Pick<RendioClient, 'products' | 'reportPurchase' | 'redeem' | 'checkout'>;

function purchaseMethods({ api, feed }: Parts): PurchaseMethods {
  const thenPoll = <Answer>(answer: Answer): Answer => {
    feed.pollSoon();
    return answer;
  };
  return {
    products: ({ signal } = {}) => readProducts(api, signal),
    reportPurchase: async (proof, options) => thenPoll(await reportPurchase(api, proof, options)),
    redeem: async (code, { signal } = {}) => thenPoll(await redeem(api, code, signal)),
    checkout: (productId, options) => openCheckout(api, productId, options),
  };
}

type PushMethods = Pick<RendioClient, 'registerPushToken' | 'unregisterPushToken'>;

function pushMethods({ api }: Parts): PushMethods {
  return {
    registerPushToken: (token, environment, { signal } = {}) =>
      changePushToken(api, 'POST', { token, environment }, signal),
    unregisterPushToken: (token, environment, { signal } = {}) =>
      changePushToken(api, 'DELETE', { token, environment }, signal),
  };
}

type JobMethods = Pick<RendioClient, 'job' | 'jobs' | 'cancel' | 'delete'>;

function jobMethods({ api }: Parts): JobMethods {
  return {
    job(jobId, { signal } = {}) {
      return api.request(withQuery('get-video-status', { job_id: jobId }), { signal });
    },
    jobs({ signal, ...query } = {}) {
      return api.request(withQuery('get-video-jobs', query), { signal });
    },
    cancel(jobId, { signal } = {}) {
      const headers = { 'Idempotency-Key': uuid() };
      return withRetry(
        () => api.request<Cancelled>('cancel-video-job', { method: 'POST', body: { job_id: jobId }, headers, signal }),
        signal,
      );
    },
    delete(jobId, { signal } = {}) {
      return withRetry(
        () => api.request<{ success: true }>('delete-video-job', { method: 'POST', body: { job_id: jobId }, signal }),
        signal,
      );
    },
  };
}

type GenerateMethods = Pick<RendioClient, 'submit' | 'unanswered' | 'generate' | 'follow'>;

function generateMethods({ api, idempotencyKeys, uploads, feed }: Parts): GenerateMethods {
  const methods: GenerateMethods = {
    async submit(input, options = {}) {
      const request = await withUploadedImage(uploads, input, options);
      const started = await submit({ api, idempotencyKeys }, request, options);
      feed.pollSoon();
      return started;
    },
    unanswered({ withinMs = UNANSWERED_WITHIN_MS } = {}) {
      return idempotencyKeys.latestUnanswered(withinMs);
    },
    async generate(request, options = {}) {
      const { job_id } = await methods.submit(request, options);
      return methods.follow(job_id, options);
    },
    follow(jobId, options = {}) {
      return follow({ api, feed }, jobId, { patienceMs: PATIENCE_MS, ...options });
    },
  };
  return methods;
}

type EventMethods = Pick<RendioClient, 'events' | 'subscribe'>;

function eventMethods({ feed, openFeed }: Parts): EventMethods {
  return {
    events({ signal, lastEventId } = {}) {
      return iterateEvents(lastEventId === undefined ? feed : openFeed(lastEventId), signal);
    },
    subscribe(listener) {
      return feed.subscribe(listener);
    },
  };
}
