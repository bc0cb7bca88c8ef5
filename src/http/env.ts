import type { Context } from 'hono';
import type { Locale } from '../kernel/locale.ts';

/** Whom the access token identifies. Ids are lower-case UUIDs. */
export type Caller = {
  /** The account; for the token of a merged guest, the survivor. */
  userId: string;
  sessionId: string | null;
  isAnonymous: boolean;
  expiresAt: number;
  /** Other ids that address the account: of guests that were merged into it. Known once the account was read. */
  mergedIds?: readonly string[];
};

/** The administrator whom an access token of the administrators' audience identifies. */
export type Administrator = { userId: string; sessionId: string; email: string; expiresAt: Date };

/** What the middleware stores in a request's context. */
export type HttpEnv = {
  Variables: {
    requestId: string;
    /** Set once the token is verified. */
    caller?: Caller;
    /** Set on routes for administrators. */
    administrator?: Administrator;
    /** The account's language, once the account was read. Used if `Accept-Language` names no supported language. */
    language?: Locale;
    /** The base of the URLs in responses, without a trailing slash. */
    origin: string;
  };
};

export type HttpContext = Context<HttpEnv>;
