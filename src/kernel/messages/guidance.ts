import type { ErrorCode } from '../errors.ts';

/** The name of a code and what a client should do about it: the source of `docs/errors.md`. */
export type Guidance = {
  name: string;
  advice: string;
  /** A second status that an answer with this code can have. */
  alsoStatus?: 403;
  /** Never the code of an HTTP answer: only the `error_code` of a finished generation. */
  jobsOnly?: true;
  /** Whether the same request may succeed later. Any other code is worth a repeat only if its answer has `Retry-After`. */
  isRetryable?: true;
};

export const GUIDANCE: Record<ErrorCode, Guidance> = {
  ERR_4001: {
    name: 'insufficient credits',
    advice:
      'Offer the purchase screen; `details` hold what was `required` and what is `available`. Nothing was charged.',
  },
  ERR_4002: {
    name: 'invalid, unknown or unavailable model',
    advice: 'Read `get-models` again and let the user choose another model.',
  },
  ERR_4003: {
    name: 'invalid prompt',
    advice:
      "Keep the prompt between 3 characters and the model's `prompt_max`; show the message beside the field. `details.reason` is `policy` for a prompt that the operator does not allow.",
  },
  ERR_4004: {
    name: 'rate limit exceeded',
    isRetryable: true,
    advice: 'Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request.',
  },
  ERR_4005: {
    name: 'unauthorized',
    alsoStatus: 403,
    advice:
      'On 401 refresh the session once and repeat; if that fails, onboard the guest again or sign in again. On 403 do not repeat: the caller is known, but not allowed.',
  },
  ERR_4006: {
    name: 'invalid request',
    advice: 'Do not repeat. `details.field` names what to correct, `details.allowed` what would be accepted.',
  },
  ERR_4007: {
    name: 'not found, or not yours',
    advice: 'Do not repeat. Remove the object from your list and read the list again.',
  },
  ERR_4008: {
    name: 'conflict with the current state',
    advice:
      'Read the current state and decide again. With `Retry-After`, repeat the same request after that many seconds.',
  },
  ERR_4009: {
    name: 'idempotency key used for another request',
    advice: 'A bug in the client: use a new `Idempotency-Key` for each new request, and the same key only for retries.',
  },
  ERR_4010: {
    name: 'device rejected',
    advice:
      'Get a new token from DeviceCheck and try once more; if that fails, make a new `device_id` (a backup may have brought this one ' +
      'from another device), or show the message.',
  },
  ERR_4011: {
    name: 'purchase invalid',
    advice:
      'Finish the transaction: it will never be credited; `details.reason` says why. Only if the reason is `product` or `unknown`, ' +
      'keep it unfinished and report it again later. Show how to reach support.',
  },
  ERR_4012: {
    name: 'purchase belongs to another account',
    advice: 'Finish the transaction. Tell the user to sign in to the account that bought it, if it is theirs.',
  },
  ERR_4013: { name: 'account banned', advice: 'Stop sending requests and show how to reach support.' },
  ERR_4014: { name: 'too large', advice: 'Send less; `details.bytes_max` is the limit in bytes.' },
  ERR_4015: { name: 'unsupported type', advice: 'Send one of the content types in `details.allowed`.' },
  ERR_4016: { name: 'method not allowed', advice: 'Use one of the methods in the `Allow` header.' },
  ERR_4017: {
    name: 'switched off by configuration',
    advice: 'Hide the feature. The operator of the server can configure it.',
  },
  ERR_4018: {
    name: 'code unknown, expired or used up',
    advice:
      'Show the message beside the field and let the user correct the code. Do not repeat it unchanged: only some wrong codes per ' +
      'hour are answered.',
  },
  ERR_4019: {
    name: 'paused by the operator',
    isRetryable: true,
    advice:
      'Nothing was charged. Repeat the same request after `Retry-After` seconds, with the same `Idempotency-Key`. Videos that were ' +
      'already paid for are finished meanwhile.',
  },
  ERR_5001: {
    name: 'provider timeout',
    isRetryable: true,
    advice: 'The user was not charged. Offer to try again, perhaps with another model.',
  },
  ERR_5002: {
    name: 'provider unavailable',
    isRetryable: true,
    advice: 'The user was not charged. Offer another model, or try again later.',
  },
  ERR_5003: {
    name: 'provider rejected the request',
    advice:
      'The user was not charged. Do not repeat unchanged: let the user change the prompt, the image or the settings.',
  },
  ERR_5004: { name: 'cancelled by the user', jobsOnly: true, advice: 'Nothing to do: the credits are back.' },
  ERR_5005: {
    name: "the provider's result was unusable",
    jobsOnly: true,
    advice: 'The credits are back. Offer to try again.',
  },
  ERR_5006: {
    name: 'external service unavailable',
    isRetryable: true,
    advice: 'Repeat after about a minute. Keep the session and the tokens: they are still valid.',
  },
  ERR_6001: {
    name: 'database unavailable',
    isRetryable: true,
    advice:
      'Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.',
  },
  ERR_6002: {
    name: 'storage unavailable',
    isRetryable: true,
    advice:
      'Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.',
  },
  ERR_6003: {
    name: 'internal error',
    isRetryable: true,
    advice:
      'Repeat once after a few seconds, with the same `Idempotency-Key`; if that fails, report the `X-Request-Id` of the answer.',
  },
};
