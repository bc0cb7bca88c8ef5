import type { Storage } from './session/persistent-store.ts';
import type { Device } from './types.ts';

export type ClientOptions = {
  /** The server's URL, such as `https://api.example.com`. Default in a browser: the origin of the page. */
  url?: string;
  /** Set these where they differ from `url` + `/functions/v1`, `/auth/v1` and `/storage/v1`. */
  functionsUrl?: string;
  authUrl?: string;
  storageUrl?: string;
  /** Sent as the header `apikey`, which Supabase's gateway requires. */
  apikey?: string;
  /** The language of the server's messages: `en`, `tr` or `es`. Default: what the runtime prefers. */
  language?: string | (() => string | undefined);
  /**
   * Where the session, the device id and the idempotency keys are stored. Default: in a page `localStorage` where it works;
   * elsewhere a memory of this client's own. Clients with one storage share one account.
   */
  storage?: Storage;
  /**
   * What onboarding sends. Default: a device id that is made once and stored, with a token that a development server's
   * simulated DeviceCheck accepts. Null: the client never onboards; `useSession` opens the account.
   */
  device?: (() => Device | Promise<Device>) | null;
  fetch?: typeof globalThis.fetch;
  /** How long one request may take, in milliseconds (20 000). */
  timeoutMs?: number;
};

/** The base URLs of functions, auth and storage, without a slash at the end. */
export function urlsOf({ url, functionsUrl, authUrl, storageUrl }: ClientOptions) {
  const base = withoutSlash(url ?? (typeof location === 'undefined' ? '' : location.origin));
  if (!base && !(functionsUrl && authUrl)) throw new TypeError('createClient needs the url of the server.');
  return {
    functionsUrl: withoutSlash(functionsUrl ?? `${base}/functions/v1`),
    authUrl: withoutSlash(authUrl ?? `${base}/auth/v1`),
    storageUrl: withoutSlash(storageUrl ?? `${base}/storage/v1`),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
