import type { Storage } from './session/persistent-store.ts';
import type { Device } from './types.ts';

export type ClientOptions = {
  /** The server, such as `https://api.example.com`. In a page the default is where the page came from. */
  url?: string;
  /** Where these differ from `url` + `/functions/v1`, `/auth/v1` and `/storage/v1`. */
  functionsUrl?: string;
  authUrl?: string;
  storageUrl?: string;
  /** Sent as `apikey`: Supabase's gateway wants it. */
  apikey?: string;
  /** Of the server's sentences: `en`, `tr` or `es`. Default: what the runtime prefers. */
  language?: string | (() => string | undefined);
  /** Where session, device id and keys are kept. Default: `localStorage` where it works, else memory. */
  storage?: Storage;
  /**
   * What onboarding sends. Default: a device id made once and kept in the storage, with the token that a development
   * server's simulated DeviceCheck takes. Null: never onboards by itself; `useSession` opens the account.
   */
  device?: (() => Device | Promise<Device>) | null;
  fetch?: typeof globalThis.fetch;
  /** How long one call may take, in milliseconds (20 000). */
  timeoutMs?: number;
};

/** Where the three doors of the server are, without a slash at the end. */
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
