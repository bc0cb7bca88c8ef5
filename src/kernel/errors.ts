import type { RateLimitState } from './rate-limit.ts';

/**
 * Every error code that a caller can receive, with its HTTP status. The messages are in `messages/`; what a client should
 * do is in the generated `docs/errors.md`. Source: the public contract, §3.
 */
export const ERROR_STATUS = {
  ERR_4001: 402,
  ERR_4002: 400,
  ERR_4003: 400,
  ERR_4004: 429,
  ERR_4005: 401,
  ERR_4006: 400,
  ERR_4007: 404,
  ERR_4008: 409,
  ERR_4009: 422,
  ERR_4010: 403,
  ERR_4011: 400,
  ERR_4012: 409,
  ERR_4013: 403,
  ERR_4014: 413,
  ERR_4015: 415,
  ERR_4016: 405,
  ERR_4017: 501,
  ERR_4018: 400,
  ERR_4019: 503,
  ERR_5001: 504,
  ERR_5002: 502,
  ERR_5003: 400,
  ERR_5004: 409,
  ERR_5005: 502,
  ERR_5006: 503,
  ERR_6001: 503,
  ERR_6002: 503,
  ERR_6003: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;
export type ErrorStatus = (typeof ERROR_STATUS)[ErrorCode];

export type ProblemDetails = Record<string, unknown>;

export type ProblemOptions = {
  /** Shown to the caller and used to fill the message. */
  details?: ProblemDetails;
  /** For the log only; never sent to a caller. */
  cause?: unknown;
  /** For a code with two statuses in the contract (`ERR_4005`: 401 unknown caller, 403 known but not allowed). */
  status?: 401 | 403;
  /** After how many seconds the same request may be repeated. */
  retryAfterSeconds?: number;
  /** The used-up limit of an `ERR_4004`. */
  limit?: RateLimitState;
};

/** An error with a stable code. Throw it anywhere; `src/http` turns it into the contract's error body and headers. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ErrorCode;
  readonly status: ErrorStatus | 403;
  readonly details: ProblemDetails;
  readonly retryAfterSeconds: number | undefined;
  readonly limit: RateLimitState | undefined;

  constructor(code: ErrorCode, options: ProblemOptions = {}) {
    super(code, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERROR_STATUS[code];
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.limit = options.limit;
  }
}
