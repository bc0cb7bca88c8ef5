import { callOnce } from '../call.ts';
import type { NoReply, Reply } from '../reply.ts';

export type Call = {
  method: 'GET' | 'POST' | 'PUT';
  url: string;
  apiKey?: string | undefined;
  json?: object;
  /** Instead of JSON. */
  bytes?: { content: Uint8Array<ArrayBuffer>; type: string };
};

/** One request to fal. */
export function call(
  fetch: typeof globalThis.fetch,
  { method, url, apiKey, json, bytes }: Call,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  const headers = new Headers({ accept: 'application/json' });
  if (apiKey !== undefined) headers.set('authorization', `Key ${apiKey}`);
  const type = bytes?.type ?? (json && 'application/json');
  if (type) headers.set('content-type', type);
  const body = bytes?.content ?? (json ? JSON.stringify(json) : null);
  return callOnce(fetch, url, { method, headers, body }, signal);
}
