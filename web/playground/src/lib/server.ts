/** The page's one client of the server, and what the page knows about its clock. */
import { createClient } from '@rendio/client';
import { getState } from '../store/store.ts';

let serverAheadMs = 0;
let isLeaving = false;

/** The server's time in milliseconds: this machine's clock may be wrong. */
export function serverNow(): number {
  return Date.now() + serverAheadMs;
}

/** From now on requests outlive the page, until it is back. */
export function setLeaving(leaving: boolean): void {
  isLeaving = leaving;
}

async function fetchHere(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, isLeaving ? { ...init, keepalive: true } : init);
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (date) serverAheadMs = date - Date.now();
  return response;
}

export const rendio = createClient({
  url: location.origin,
  language: () => getState().language,
  fetch: fetchHere,
});

/** A media link at the address that this page came from: the server may call itself by another name. */
export function here(url: string | null | undefined): string {
  if (!url) return '';
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

/** What stays the same when a media link is renewed. */
export function fileOf(url: string): string {
  return url.split('?')[0] ?? url;
}
