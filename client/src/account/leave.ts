/** Signing out, and deleting the account. */
import { SignedOutError } from '../http/errors.ts';
import type { Http } from '../http/http.ts';
import { withRetry } from '../http/retry.ts';
import { type Api, createApi } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';

/** `local`: this device. `others`: all other sessions of the account. `global`: all of them. */
export type SignOutScope = 'local' | 'others' | 'global';

type LeaveContext = { auth: Api; http: Http; sessions: Sessions; functionsUrl: string; authUrl: string };

/** Ends sessions on the server; except with `others`, the stored session is removed even if the server gives no answer. */
export async function signOut(
  { auth, http, sessions, authUrl }: LeaveContext,
  scope: SignOutScope,
  signal?: AbortSignal,
): Promise<void> {
  const path = `logout?scope=${scope}`;
  const call = { method: 'POST', signal } as const;
  if (scope === 'others') return withRetry(() => auth.request<void>(path, call), signal);
  let failure: unknown = null;
  await sessions.leave('signed_out', async (tokens) => {
    const api = createApi(http, tokens, authUrl);
    try {
      await withRetry(() => api.request<void>(path, call), signal);
    } catch (error) {
      // Without a session there is nothing left to end.
      if (!(error instanceof SignedOutError)) failure = error;
    }
  });
  if (failure !== null) throw failure;
}

/** Deletes the account; then also its stored session. Both stay when the server refuses or gives no answer. */
export async function deleteAccount(
  { http, sessions, functionsUrl }: LeaveContext,
  signal?: AbortSignal,
): Promise<void> {
  await sessions.leave('deleted', async (tokens) => {
    const api = createApi(http, tokens, functionsUrl);
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      await api.request('delete-account', { method: 'POST', body: {}, signal });
    };
    await withRetry(attempt, signal).catch((error) => {
      // An earlier attempt has deleted it, and only its answer was lost.
      if (attempts === 1 || !(error instanceof SignedOutError)) throw error;
    });
  });
}
