/** The server's endpoints, called with a token that works. */
import { RendioError } from '../http/errors.ts';
import type { Call, Http } from '../http/http.ts';
import type { Sessions } from './session.ts';

export type Api = {
  /** Calls with a token, and once more with a new one if it is refused. */
  ask<Answer>(name: string, call?: Call): Promise<Answer>;
  /** The same, for an answer that is read as it comes. `onTry` hears of each request before it goes out. */
  open(name: string, call: Call & { onTry?: () => void }): Promise<Response>;
  /** Without a token: everybody may ask. */
  askPublicly<Answer>(name: string, call?: Call): Promise<Answer>;
};

/** Names are of what lies at `baseUrl`. */
export function createApi(http: Http, sessions: Sessions, baseUrl: string): Api {
  async function authorised<Answer>(call: Call, attempt: (call: Call) => Promise<Answer>): Promise<Answer> {
    const withToken = (token: string) =>
      attempt({ ...call, headers: { ...call.headers, Authorization: `Bearer ${token}` } });
    const token = await sessions.token({ signal: call.signal });
    try {
      return await withToken(token);
    } catch (error) {
      if (!isTokenRefused(error)) throw error;
      return withToken(await sessions.token({ refused: token, signal: call.signal }));
    }
  }

  return {
    ask: (name, call = {}) => authorised(call, (ready) => http.ask(`${baseUrl}/${name}`, ready)),
    open: (name, { onTry, ...call }) =>
      authorised(call, (ready) => {
        onTry?.();
        return http.open(`${baseUrl}/${name}`, ready);
      }),
    askPublicly: (name, call) => http.ask(`${baseUrl}/${name}`, call),
  };
}

/** The storage of Supabase has a code for it, and another status. */
function isTokenRefused(error: unknown): boolean {
  return error instanceof RendioError && (error.status === 401 || error.code === 'InvalidJWT');
}

/** `name?a=1&b=2`, without what is undefined or null. */
export function withQuery(name: string, query: Record<string, string | number | null | undefined>): string {
  const known = Object.entries(query).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]]));
  return known.length === 0 ? name : `${name}?${new URLSearchParams(known)}`;
}
