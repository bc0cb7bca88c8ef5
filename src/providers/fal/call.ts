import { NO_TIME_LEFT, type NoReply, noReplyFrom, type Reply, textOf } from '../reply.ts';

export type Call = {
  method: 'GET' | 'POST' | 'PUT';
  url: string;
  apiKey?: string | undefined;
  json?: object;
  /** Instead of JSON. */
  bytes?: { content: Uint8Array<ArrayBuffer>; type: string };
};

/** Asks fal once and never throws; a redirect is an answer like any other, lest the key or the request go elsewhere. */
export async function call(
  fetch: typeof globalThis.fetch,
  { method, url, apiKey, json, bytes }: Call,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  if (signal.aborted) return NO_TIME_LEFT;
  const headers = new Headers({ accept: 'application/json' });
  if (apiKey !== undefined) headers.set('authorization', `Key ${apiKey}`);
  const type = bytes?.type ?? (json && 'application/json');
  if (type) headers.set('content-type', type);
  try {
    const body = bytes?.content ?? (json ? JSON.stringify(json) : null);
    const response = await fetch(url, { method, headers, body, redirect: 'manual', signal });
    return { got: 'reply', status: response.status, headers: response.headers, text: await textOf(response) };
  } catch (error) {
    return noReplyFrom(error, signal);
  }
}
