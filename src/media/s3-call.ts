/** Signed calls to a store with Amazon's S3 protocol (Signature Version 4, path-style URLs). */

import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { Clock } from '../kernel/clock.ts';
import { isRetryableStatus, type RetryPolicy, retry, systemRetryTools, type TryResult } from '../kernel/retry.ts';
import { storageProblem } from './storage-problem.ts';

export type S3Options = {
  /** Without a slash at the end; the bucket and the object's path are appended. */
  endpoint: string;
  region: string;
  /** Holds all objects, by their keys. Null: a key's first segment is the bucket, as in Supabase Storage. */
  bucket: string | null;
  accessKeyId: string;
  secretAccessKey: string;
  fetch: typeof fetch;
  clock: Clock;
};

export type S3Request = {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Of plain segments, as `checkMediaKey` requires: nothing in it needs escaping. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
  signal?: AbortSignal | undefined;
};

/** Sends the request and resolves with an answer below 400, or a 404; throws ERR_6002 for all others, after some tries. */
export type S3Call = (request: S3Request) => Promise<Response>;

/** Until the headers of the answer arrive; the body of a long object may take longer. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Short, because a user may be waiting for the bytes. The answer has a timeout of its own, above. */
const RETRIES: RetryPolicy = { triesMax: 4, baseMs: 150, maxMs: 1_200, tryTimeoutMs: null };

/** Every call is safe to repeat: an object is written as a whole, under a key that the caller chose. */
export function createS3Call(options: S3Options): S3Call {
  const { fetch: send, clock, endpoint, region, bucket, accessKeyId, secretAccessKey } = options;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });

  const attempt = async ({ method, key, query, headers = {}, body, signal }: S3Request): Promise<Response> => {
    const url = new URL([endpoint, ...(bucket ? [bucket] : []), key].join('/'));
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const datetime = clock
      .now()
      .toISOString()
      .replace(/[:-]|\.\d{3}/g, '');
    // The signer gets the hash of the body and not the body, of which it would make copies.
    const hash = {
      'X-Amz-Content-Sha256': createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
    };
    const signed = await aws.sign(url.href, { method, headers: { ...headers, ...hash }, aws: { datetime } });
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error('the store did not answer in time')), ANSWER_TIMEOUT_MS);
    const signals = signal ? [signal, timeout.signal] : [timeout.signal];
    const answer = await send(signed.url, {
      method,
      headers: signed.headers,
      ...(body && withBody(body, signed.headers)),
      signal: AbortSignal.any(signals),
    }).finally(() => clearTimeout(timer));
    if (answer.ok || answer.status === 404) return answer;
    throw new StoreRefusal(answer.status, await storeCodeOf(answer));
  };

  return async (request) => {
    const signal = request.signal ?? NEVER_ABORTED;
    const { answer } = await retry(() => toTryResult(attempt(request)), systemRetryTools, signal, RETRIES);
    if ('response' in answer) return answer.response;
    signal.throwIfAborted();
    throw storageProblem(answer.error);
  };
}

async function toTryResult(
  attempt: Promise<Response>,
): Promise<TryResult<{ response: Response } | { error: unknown }>> {
  try {
    return { answer: { response: await attempt }, isRetryable: false, retryAfterMs: null };
  } catch (error) {
    const isRetryable = !(error instanceof StoreRefusal) || isRetryableStatus(error.status);
    return { answer: { error }, isRetryable, retryAfterMs: null };
  }
}

const NEVER_ABORTED = new AbortController().signal;

/** Node's `fetch` copies a body of bytes, and sends a stream's `Content-Length`; Deno's sends a stream without it. */
const IS_STREAMED = !('Deno' in globalThis);
const PIECE_BYTES = 64 * 1024;

function withBody(body: Uint8Array<ArrayBuffer> | string, headers: Headers): RequestInit & { duplex?: 'half' } {
  if (typeof body === 'string' || !IS_STREAMED || body.length === 0) return { body };
  headers.set('Content-Length', String(body.length));
  let sent = 0;
  const pieces = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (sent === body.length) return controller.close();
        const piece = body.subarray(sent, sent + PIECE_BYTES);
        sent += piece.length;
        controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  return { body: pieces, duplex: 'half' };
}

/** The store rejected the request. The message is for the log. */
class StoreRefusal extends Error {
  readonly status: number;

  constructor(status: number, code: string) {
    super(`the store answered ${status} ${code}`.trimEnd());
    this.status = status;
  }
}

/** The store's error code, such as `AccessDenied`. Its message is not read: it may contain keys. */
async function storeCodeOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '');
  return /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? '';
}
