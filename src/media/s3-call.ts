/** Signed calls to a store with Amazon's S3 protocol (Signature Version 4, path-style URLs). */

import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { Clock } from '../kernel/clock.ts';
import {
  isRetryableStatus,
  type RetryPolicy,
  type RetryTools,
  retry,
  systemRetryTools,
  type TryResult,
} from '../kernel/retry.ts';
import { endOfStalls, readText, withBody } from './s3-body.ts';
import { StoreRefusal, storageProblem } from './storage-problem.ts';

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
  tools?: RetryTools;
};

export type S3Request = {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Of plain segments, as `checkMediaKey` requires: nothing in it needs escaping. Empty for the bucket itself. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
  signal?: AbortSignal | undefined;
  /** What the text of a success contains. A 200 without it is a failure, and is tried again. Of a GET: its answer is no object. */
  expects?: RegExp;
  /** By default `FOR_PEOPLE`. */
  patience?: Patience;
};

/** `stream` is the object of a GET; `text` is the body of every other answer. */
export type S3Answer = { status: number; headers: Headers; text: string; stream: ReadableStream<Uint8Array> | null };

/** Sends the request and resolves with an answer below 400, or a 404; throws ERR_6002 for all others, after some tries. */
export type S3Call = (request: S3Request) => Promise<S3Answer>;

/** `tryMs` for one answer, to the end of its text; an object's bytes may take longer. `allMs` for all tries together. */
type Patience = { tryMs: number; allMs: number | null };

/** A person waits for the answer: a silent store gets one try, and quick failures are tried again within its time. */
const FOR_PEOPLE: Patience = { tryMs: 5_000, allMs: 5_000 };
/** For upkeep: no person waits. */
export const FOR_UPKEEP: Patience = { tryMs: 30_000, allMs: null };
/** For uploads: trying again costs less than sending the file anew. */
export const FOR_UPLOADS: Patience = { tryMs: 30_000, allMs: null };
/** S3 joins the parts of a large file for minutes, and sends white space meanwhile. */
export const FOR_COMPLETION: Patience = { tryMs: 120_000, allMs: null };
/** S3 may fail after its 200, and a proxy may answer in its place. */
const NO_RESULT = /<(?:\w+:)?Error[\s/>]|<(?:html|!doctype)[\s>]/i;
const TOO_LATE = 'the store did not answer in time';
const RETRIES: RetryPolicy = { triesMax: 4, baseMs: 150, maxMs: 1_200, tryTimeoutMs: null };

/** Every call is safe to repeat: an object is written as a whole, under a key that the caller chose. */
export function createS3Call(options: S3Options): S3Call {
  const { fetch: send, clock, endpoint, region, bucket, accessKeyId, secretAccessKey } = options;
  const { tools = systemRetryTools } = options;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });

  const attempt = async (request: S3Request, signal: AbortSignal, tryMs: number): Promise<S3Answer> => {
    const { method, key, query, headers = {}, body, expects } = request;
    const url = new URL([endpoint, bucket, key].filter(Boolean).join('/'));
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
    // A compressed answer has no size (Cloudflare R2). Not signed: proxies rewrite this header.
    signed.headers.set('Accept-Encoding', 'identity');
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(TOO_LATE)), tryMs);
    try {
      const answer = await send(signed.url, {
        method,
        headers: signed.headers,
        ...(body && withBody(body, signed.headers)),
        signal: AbortSignal.any([signal, timeout.signal]),
      });
      const { status, headers: answered } = answer;
      if (method === 'GET' && answer.ok && !expects) {
        const stream = answer.body && endOfStalls(answer.body, timeout, tryMs);
        return { status, headers: answered, text: '', stream };
      }
      const text = await readText(answer);
      const code = errorCodeIn(text);
      // A bucket that is gone is no missing object.
      if (!answer.ok && (status !== 404 || code === 'NoSuchBucket')) throw new StoreRefusal(status, code);
      if (answer.ok && (NO_RESULT.test(text) || expects?.test(text) === false)) {
        throw new Error(`the store answered ${status} without a result ${code}`.trimEnd());
      }
      return { status, headers: answered, text, stream: null };
    } finally {
      clearTimeout(timer);
    }
  };

  return async (request) => {
    const { tryMs, allMs } = request.patience ?? FOR_PEOPLE;
    const given = request.signal ?? NEVER_ABORTED;
    const limit = new AbortController();
    const timer = allMs === null ? undefined : setTimeout(() => limit.abort(new Error(TOO_LATE)), allMs);
    const signal = AbortSignal.any([given, limit.signal]);
    const tryOnce = () => toTryResult(attempt(request, signal, tryMs));
    const { answer } = await retry(tryOnce, tools, signal, RETRIES).finally(() => clearTimeout(timer));
    if ('response' in answer) return answer.response;
    given.throwIfAborted();
    throw storageProblem(answer.error);
  };
}

async function toTryResult(
  attempt: Promise<S3Answer>,
): Promise<TryResult<{ response: S3Answer } | { error: unknown }>> {
  try {
    return { answer: { response: await attempt }, isRetryable: false, retryAfterMs: null };
  } catch (error) {
    const isRetryable = !(error instanceof StoreRefusal) || isRetryableStatus(error.status);
    return { answer: { error }, isRetryable, retryAfterMs: null };
  }
}

export const NEVER_ABORTED = new AbortController().signal;

/** The refusal behind a failed call; null if the call failed otherwise. */
export function refusalOf(error: unknown): StoreRefusal | null {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof StoreRefusal ? cause : null;
}

/** Only the code is read: a message may contain keys. */
function errorCodeIn(text: string): string {
  return /<(?:\w+:)?Code>\s*(\w{1,64})\s*<\//.exec(text)?.[1] ?? '';
}
