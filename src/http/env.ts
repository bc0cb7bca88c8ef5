import type { Context } from 'hono';
import type { Locale } from '../kernel/locale.ts';

/** Who is calling, as their access token says. Ids are lower-case UUIDs. */
export type Caller = { userId: string; sessionId: string | null; isAnonymous: boolean; expiresAt: number };

/** What this floor's middleware leaves in a request's context. */
export type HttpEnv = {
  Variables: {
    requestId: string;
    /** Set once the token is verified. */
    caller?: Caller;
    /** The account's own language, where it is known: spoken when `Accept-Language` asks for none of ours. */
    language?: Locale;
    /** The address the outside reaches us at, without a slash at its end, where it is configured. */
    publicUrl?: string;
  };
};

export type HttpContext = Context<HttpEnv>;
