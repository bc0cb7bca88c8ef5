/** One request to Runway's API, as its SDK sends it. The SDK itself (4 MB) is there for types and tests alone. */
import { callOnce } from '../call.ts';
import type { NoReply, Reply } from '../reply.ts';

export type Call = { method: 'GET' | 'POST' | 'DELETE'; path: string; json?: object };

export type Endpoint = { apiKey: string; baseUrl: string; fetch: typeof fetch };

/** The version of the API that this client is written for. */
const API_VERSION = '2024-11-06';

/** `path` is appended to the base URL. */
export function call(
  { apiKey, baseUrl, fetch }: Endpoint,
  { method, path, json }: Call,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  const headers = new Headers({
    accept: 'application/json',
    authorization: `Bearer ${apiKey}`,
    'user-agent': 'Rendio',
    'x-runway-version': API_VERSION,
  });
  if (json) headers.set('content-type', 'application/json');
  const url = `${baseUrl.replace(/\/+$/, '')}${path}`;
  return callOnce(fetch, url, { method, headers, body: json ? JSON.stringify(json) : null }, signal);
}
