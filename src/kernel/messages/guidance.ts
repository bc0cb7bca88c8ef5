import type { ErrorCode } from '../errors.ts';

/** What a code is called and what a client should do about it: the source of `docs/errors.md`. */
export type Guidance = {
  name: string;
  advice: string;
  /** A second status that the code may come with. */
  alsoStatus?: 403;
  /** Never an HTTP answer: only the `error_code` of a finished generation. */
  jobsOnly?: true;
};

export const GUIDANCE: Record<ErrorCode, Guidance> = {
  ERR_4001: {
    name: 'insufficient credits',
    advice:
      'Offer the purchase screen; `details` hold what was `required` and what is `available`. Nothing was charged.',
  },
  ERR_4002: {
    name: 'invalid, unknown or unavailable model',
    advice: 'Read `get-models` again and let the person choose another model.',
  },
  ERR_4003: {
    name: 'invalid prompt',
    advice: "Keep the prompt between 3 characters and the model's `prompt_max`; show the message beside the field.",
  },
  ERR_4004: {
    name: 'rate limit exceeded',
    advice: 'Wait for `Retry-After` seconds (also `details.retry_after`), then repeat the same request.',
  },
  ERR_4005: {
    name: 'unauthorized',
    alsoStatus: 403,
    advice:
      'On 401 refresh the session once and repeat; if that fails, sign in again. On 403 do not repeat: the caller is known and not allowed.',
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
    name: 'conflict with the present state',
    advice:
      'Read the present state and decide again. With `Retry-After`, repeat the same request after that many seconds.',
  },
  ERR_4009: {
    name: 'idempotency key used for another request',
    advice: 'A bug in the client: use a new `Idempotency-Key` for each new request and the old one only to repeat.',
  },
  ERR_4010: {
    name: 'device rejected',
    advice: 'Ask DeviceCheck for a fresh token and try once more; then tell the person.',
  },
  ERR_4011: {
    name: 'purchase invalid',
    advice: 'Do not finish the transaction. Ask StoreKit for the transaction again and send that once.',
  },
  ERR_4012: {
    name: 'purchase belongs to another account',
    advice: 'Finish the transaction and ask the person to sign in to the account that bought it.',
  },
  ERR_4013: { name: 'account banned', advice: 'Stop sending requests and show how to reach support.' },
  ERR_4014: { name: 'too large', advice: 'Send less; `details.bytes_max` is the limit in bytes.' },
  ERR_4015: { name: 'unsupported type', advice: 'Send one of the content types in `details.allowed`.' },
  ERR_4016: { name: 'method not allowed', advice: 'Use one of the methods in the `Allow` header.' },
  ERR_4017: {
    name: 'switched off by configuration',
    advice: 'Hide the feature. Whoever runs the server can configure it.',
  },
  ERR_5001: {
    name: 'provider timeout',
    advice: 'Nothing stays charged. Offer to try again, perhaps with another model.',
  },
  ERR_5002: {
    name: 'provider unavailable',
    advice: 'Nothing stays charged. Offer another model, or try again later.',
  },
  ERR_5003: {
    name: 'provider rejected the request',
    advice:
      'Nothing stays charged. Do not repeat unchanged: let the person change the prompt, the picture or the settings.',
  },
  ERR_5004: { name: 'cancelled by the user', jobsOnly: true, advice: 'Nothing to do: the credits are back.' },
  ERR_5005: {
    name: "the provider's result was unusable",
    jobsOnly: true,
    advice: 'The credits are back. Offer to try again.',
  },
  ERR_6001: {
    name: 'database unavailable',
    advice:
      'Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.',
  },
  ERR_6002: {
    name: 'storage unavailable',
    advice:
      'Repeat after a few seconds, with the same `Idempotency-Key` where there is one: it is never charged twice.',
  },
  ERR_6003: {
    name: 'internal error',
    advice:
      'Repeat once after a few seconds, with the same `Idempotency-Key`; then report the `X-Request-Id` of the answer.',
  },
  ERR_6004: {
    name: 'outside service unavailable',
    advice: 'Repeat after a minute or so. Keep the session and the tokens: nothing is wrong with them.',
  },
};
