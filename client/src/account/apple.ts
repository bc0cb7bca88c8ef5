/** Sign in with Apple: keeping a guest's account, and opening the account again on another device. */
import type { Http } from '../http/http.ts';
import { withRetry } from '../http/retry.ts';
import { type Api, createApi } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { AuthUser, Merged, Profile, Session } from '../types.ts';

/** What Apple gave the app when the user signed in. */
export type AppleProof = {
  /** Apple's `identityToken`, as text. It expires: use it at once. */
  identityToken: string;
  /** The raw nonce, if the app gave one to Apple: there as the lower-case hex of its SHA-256. */
  nonce?: string;
  /** Apple's `authorizationCode`, as text: valid once, for five minutes. */
  authorizationCode?: string;
};

type AppleContext = {
  api: Api;
  http: Http;
  sessions: Sessions;
  functionsUrl: string;
  authUrl: string;
};

/** Joins the guest with the Apple user's account and takes over the session of the surviving account. */
export async function mergeGuest(ctx: AppleContext, proof: AppleProof, signal?: AbortSignal): Promise<Profile> {
  const { user, session } = await withRetry(
    () => ctx.api.request<Merged>('merge-guest-user', { method: 'POST', body: mergeBody(proof), signal }),
    signal,
  );
  const replaced = await ctx.sessions.token().catch(() => null);
  await ctx.sessions.use(session, { continues: true });
  if (replaced !== null) endReplaced(ctx, replaced);
  return user;
}

/** Opens a session for the Apple user, in place of the current one. */
export async function signInWithApple(ctx: AppleContext, proof: AppleProof, signal?: AbortSignal): Promise<AuthUser> {
  const { identityToken: id_token, nonce, authorizationCode } = proof;
  const body = { provider: 'apple', id_token, ...(nonce !== undefined && { nonce }) };
  const url = `${ctx.authUrl}/token?grant_type=id_token`;
  const opened = await withRetry(() => ctx.http.request<Session>(url, { method: 'POST', body, signal }), signal);
  const session = authorizationCode === undefined ? opened : await withCode(ctx, opened, proof);
  await ctx.sessions.use(session);
  if (session !== opened) endReplaced(ctx, opened.access_token);
  return session.user;
}

/** Gives the server Apple's code, which only `merge-guest-user` takes. The user is signed in also without it. */
async function withCode({ http, functionsUrl }: AppleContext, opened: Session, proof: AppleProof): Promise<Session> {
  const api = createApi(http, { token: async () => opened.access_token }, functionsUrl);
  const merged = api.request<Merged>('merge-guest-user', { method: 'POST', body: mergeBody(proof) });
  return merged.then(
    ({ session }) => session,
    () => opened,
  );
}

function mergeBody({ identityToken: identity_token, nonce, authorizationCode: authorization_code }: AppleProof) {
  return { identity_token, nonce, authorization_code };
}

/**
 * Ends the session whose place another one has taken, so that the list of sessions has one for each device. Calls that still use
 * its token are repeated with the new one. If this fails, that session remains in the list.
 */
function endReplaced({ http, authUrl }: AppleContext, token: string): void {
  const headers = { Authorization: `Bearer ${token}` };
  http.request(`${authUrl}/logout?scope=local`, { method: 'POST', headers }).catch(() => {});
}
