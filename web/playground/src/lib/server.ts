/** The page's client, and the server's clock. */
import { ConnectionError, createClient } from '@rendio/client';
import { getState } from '../store/store.ts';

let serverAheadMs = 0;
let isLeaving = false;

/** The server's time in milliseconds. This machine's clock may be wrong. */
export function serverNow(): number {
  return Date.now() + serverAheadMs;
}

/** While `leaving` is true, requests continue after the page is closed. */
export function setLeaving(leaving: boolean): void {
  isLeaving = leaving;
}

async function fetchFromServer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, isLeaving ? { ...init, keepalive: true } : init);
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (date) serverAheadMs = date - Date.now();
  return response;
}

export const rendio = createClient({
  url: location.origin,
  language: () => getState().language,
  fetch: fetchFromServer,
});

/** A media URL without its origin, so that it loads from the page's own origin: the server's public URL may differ. */
export function sameOriginUrl(url: string | null | undefined): string {
  if (!url) return '';
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

/** The part of a media URL that stays the same when its signature is renewed. */
export function withoutQuery(url: string): string {
  return url.split('?')[0] ?? url;
}

/**
 * The pages of a development server that stand for Apple's: where users sign in, and the App Store. Null: this page cannot ask
 * Apple, or sell anything there.
 */
export type PageSettings = { appleUrl: string | null; storeUrl: string | null };

export async function readSettings(): Promise<PageSettings> {
  const response = await fetchFromServer('/auth/v1/settings').catch((cause: unknown) => {
    throw new ConnectionError('No answer came from the server.', { cause });
  });
  const settings: Record<string, unknown> = response.ok ? await response.json() : {};
  const urlIn = (name: string) => (typeof settings[name] === 'string' ? settings[name] : null);
  return { appleUrl: urlIn('apple_authorize_url'), storeUrl: urlIn('app_store_url') };
}
