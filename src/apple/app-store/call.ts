/** One request to the App Store Server API, and every way in which it can fail. */
import type { Clock } from '../../kernel/clock.ts';
import { errorCodeInChain } from '../../kernel/error-code.ts';
import { isRetryableStatus, type RetryPolicy, type RetryTools, retry, type TryResult } from '../../kernel/retry.ts';
import { readText } from '../read-text.ts';
import { untilAborted } from '../until-aborted.ts';
import { memberOf } from './claims.ts';
import type { AppStoreEnvironment, AppStoreFailure } from './port.ts';
import { retryAfterMsIn } from './retry-after.ts';

export type ApiOptions = {
  /** Without a slash at their end. */
  urls: Record<AppStoreEnvironment, string>;
  /** Signs the token of a request. */
  signToken(): Promise<string>;
  fetch: typeof fetch;
  clock: Clock;
  retryTools: RetryTools;
};

export type ApiRequest = {
  environment: AppStoreEnvironment;
  method: 'GET' | 'POST' | 'PUT';
  /** With its query. */
  path: string;
  body?: object;
  /** Whether it changes nothing, so that it may be repeated at once. */
  isRead: boolean;
};

/** `error`: Apple understood the request and does not do it; `code` says why. `body` is undefined where the text is no JSON. */
export type ApiReply =
  | { outcome: 'answer'; text: string; body: unknown }
  | { outcome: 'error'; status: number; code: number }
  | AppStoreFailure;

/** A page has 20 entries of at most 20 kB each. */
const BODY_BYTES_MAX = 2_000_000;
/** People wait for a claim: at most 20 s for all requests and checks of it. */
const READ_POLICY: RetryPolicy = { triesMax: 3, baseMs: 250, maxMs: 1_500, tryTimeoutMs: 5_000 };
const WRITE_POLICY: RetryPolicy = { ...READ_POLICY, triesMax: 1, tryTimeoutMs: 10_000 };

/** Account, app and original transaction: not found for the moment. */
const RETRYABLE_CODES = [4040002, 4040004, 4040006];
/** The app that the token names is unknown. */
const APP_NOT_FOUND = 4040003;

/** Sends a request, and repeats it where that is safe and may help. Never throws and follows no redirect. */
export async function callApi(request: ApiRequest, options: ApiOptions, signal: AbortSignal): Promise<ApiReply> {
  const tryOnce = (limit: AbortSignal) => send(request, options, limit);
  const policy = request.isRead ? READ_POLICY : WRITE_POLICY;
  return (await retry(tryOnce, options.retryTools, signal, policy)).answer;
}

async function send(
  { environment, method, path, body }: ApiRequest,
  { urls, signToken, fetch, clock }: ApiOptions,
  signal: AbortSignal,
): Promise<TryResult<ApiReply>> {
  const token = await signToken().catch(() => null);
  if (token === null) return final(refused('the private key cannot be used'));
  try {
    const sent = fetch(`${urls[environment]}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      redirect: 'manual',
      signal,
    });
    const response = await untilAborted(sent, signal);
    const read = await readText(response, BODY_BYTES_MAX, signal);
    if (!('text' in read)) return final(unreachable(`answered ${response.status}: too large`));
    return meaningOf(response.status, read.text, retryAfterMsIn(response.headers, clock));
  } catch (error) {
    const cause = signal.aborted ? 'no answer in time' : `no answer (${errorCodeInChain(error) ?? 'no code'})`;
    return { answer: unreachable(cause), isRetryable: true, retryAfterMs: null };
  }
}

function meaningOf(status: number, text: string, retryAfterMs: number | null): TryResult<ApiReply> {
  const body = parsed(text);
  if (status >= 200 && status < 300) return final({ outcome: 'answer', text, body });
  if (status === 401 || status === 403) return final(refused(`answered ${status}`));
  const code = memberOf(body, 'errorCode');
  const cause = `answered ${status}${typeof code === 'number' ? ` (${code})` : ''}`;
  if (code === APP_NOT_FOUND) return final(refused(cause));
  if (isRetryableStatus(status) || RETRYABLE_CODES.some((known) => known === code))
    return { answer: unreachable(cause, retryAfterMs), isRetryable: true, retryAfterMs };
  // Everything that has no code of Apple's comes from something between us and Apple.
  if (status < 400 || status >= 500 || typeof code !== 'number') return final(unreachable(cause, retryAfterMs));
  return final({ outcome: 'error', status, code });
}

function final(answer: ApiReply): TryResult<ApiReply> {
  return { answer, isRetryable: false, retryAfterMs: null };
}

function refused(cause: string): AppStoreFailure {
  return { outcome: 'refused', cause, retryAfterMs: null };
}

/** No usable answer: a later try may get one. */
export function unreachable(cause: string, retryAfterMs: number | null = null): AppStoreFailure {
  return { outcome: 'unreachable', cause, retryAfterMs };
}

/** Which of Apple's errors it is, for an operator. */
export function unexpected({ status, code }: { status: number; code: number }): AppStoreFailure {
  return unreachable(`answered ${status} (${code})`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
