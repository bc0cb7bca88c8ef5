/** Calls the server's endpoints with a valid access token. */
import { RendioError, SignedOutError } from '../http/errors.ts';
import type { Call, Http } from '../http/http.ts';
import type { Sessions } from './session.ts';

/** How the auth endpoints and Supabase's storage reject a token: not with status 401. */
const TOKEN_REJECTED = ['bad_jwt', 'session_not_found', 'user_not_found', 'InvalidJWT'];

export type Api = {
  /** Sends a request with a token, and once more with a new token if the server rejects the first. */
  request<Answer>(path: string, call?: Call): Promise<Answer>;
  /** The same, for a response that the caller reads. `onAttempt` is called before each request is sent. */
  open(path: string, call: Call & { onAttempt?: () => void }): Promise<Response>;
  /** Sends a request without a token, to a public endpoint. */
  requestWithoutToken<Answer>(path: string, call?: Call): Promise<Answer>;
};

/** Paths are relative to `baseUrl`. */
export function createApi(http: Http, sessions: Pick<Sessions, 'token'>, baseUrl: string): Api {
  async function withToken<Answer>(call: Call, send: (call: Call) => Promise<Answer>): Promise<Answer> {
    const sendWith = (token: string) =>
      send({ ...call, headers: { ...call.headers, Authorization: `Bearer ${token}` } });
    const token = await sessions.token({ signal: call.signal });
    try {
      return await sendWith(token);
    } catch (error) {
      if (!isTokenRejected(error)) throw error;
      return sendWith(await sessions.token({ rejected: token, signal: call.signal }));
    }
  }

  return {
    request: (path, call = {}) => withToken(call, (authorized) => http.request(`${baseUrl}/${path}`, authorized)),
    open: (path, { onAttempt, ...call }) =>
      withToken(call, (authorized) => {
        onAttempt?.();
        return http.open(`${baseUrl}/${path}`, authorized);
      }),
    requestWithoutToken: (path, call) => http.request(`${baseUrl}/${path}`, call),
  };
}

/** Not a refused identity token, which is a 401 as well. */
function isTokenRejected(error: unknown): boolean {
  if (!(error instanceof RendioError) || error instanceof SignedOutError) return false;
  if (error.details.reason === 'identity_token') return false;
  return error.status === 401 || TOKEN_REJECTED.includes(error.code);
}

/** `path?a=1&b=2`, without the values that are undefined or null. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  // By hand: URLSearchParams is incomplete in some runtimes.
  const known = Object.entries(query).flatMap(([key, value]) =>
    value == null ? [] : [`${encodeURIComponent(key)}=${encodeURIComponent(value)}`],
  );
  return known.length === 0 ? path : `${path}?${known.join('&')}`;
}
