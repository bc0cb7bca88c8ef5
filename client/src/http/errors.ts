/** The server refused. `message` is the server's sentence, in the client's language. */
export class RendioError extends Error {
  override readonly name: string = 'RendioError';
  /**
   * Such as `ERR_4001`; from the auth endpoints, such as `session_expired` (a refused identity token: `invalid request`); from
   * Supabase's storage, such as `EntityTooLarge`; empty when the answer did not come from the server (for example, from a proxy).
   */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** The values in the message, such as `{ required: 4, available: 2 }`. */
  readonly details: Record<string, unknown>;
  /** The request id to quote to support; null when the answer's headers do not show one. */
  readonly requestId: string | null;
  /** How long to wait before the next request, in milliseconds; null when the server did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, parts: ErrorParts) {
    super(message);
    this.code = parts.code;
    this.status = parts.status;
    this.details = parts.details ?? {};
    this.requestId = parts.requestId ?? null;
    this.retryAfterMs = parts.retryAfterMs ?? null;
  }
}

export type ErrorParts = {
  code: string;
  status: number;
  details?: Record<string, unknown>;
  requestId?: string | null;
  retryAfterMs?: number | null;
};

/** No answer came, or it could not be read to its end: the request may or may not have reached the server. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';
}

/**
 * There is no session, and the client does not open a guest's account by itself: `onboard` does, and the user can sign in. Unlike
 * after a ConnectionError, trying again does not help. `code` is the server's reason, such as `session_not_found` or
 * `user_banned`; empty when the user signed out here.
 */
export class SignedOutError extends RendioError {
  override readonly name: string = 'SignedOutError';
  /** `signed_out` and `deleted`: by the user, on this device. `ended`: by the server, such as after a sign-out elsewhere. */
  readonly reason: 'signed_out' | 'deleted' | 'ended';

  constructor(reason: SignedOutError['reason'], { code = '', message = 'There is no session.' } = {}) {
    super(message, { code, status: 401 });
    this.reason = reason;
  }
}

/** The video could not be made, and its credits were refunded. `code` and `message` are the job's. */
export class GenerationError<Job extends FailedJob = FailedJob> extends RendioError {
  override readonly name: string = 'GenerationError';
  readonly job: Job;

  constructor(job: Job) {
    super(job.error_message ?? 'The video could not be made.', { code: job.error_code ?? '', status: 200 });
    this.job = job;
  }
}

/** The server refused a purchase. `code`, `message`, `details` and the rest are the server's. */
export class PurchaseError extends RendioError {
  override readonly name: string = 'PurchaseError';
  /**
   * Whether the app may finish the transaction in StoreKit: the verdict is final (ERR_4011: no purchase of this app; ERR_4012:
   * another account's). Otherwise, also where the product or the transaction is not known yet, keep it unfinished and report it
   * again later.
   */
  readonly mayFinish: boolean;

  constructor(refusal: RendioError, { mayFinish }: { mayFinish: boolean }) {
    super(refusal.message, refusal);
    this.mayFinish = mayFinish;
  }
}

type FailedJob = { error_code: string | null; error_message: string | null };

/** The error that a response with an error status describes. Rejects when its body cannot be read. */
export async function errorFromResponse(response: Response): Promise<RendioError> {
  const text = await response.text();
  const parsed = parseErrorBody(parseJson(text));
  return new RendioError(parsed.message ?? `The server answered ${response.status}.`, {
    code: parsed.code ?? '',
    status: parsed.status ?? response.status,
    details: parsed.details ?? {},
    requestId: response.headers.get('X-Request-Id'),
    retryAfterMs: parseRetryAfterMs(
      response.headers.get('Retry-After'),
      Date.parse(response.headers.get('Date') ?? ''),
    ),
  });
}

type ParsedError = { message?: string; code?: string; status?: number; details?: Record<string, unknown> };

/**
 * The server has four error formats: `{error: {code, message, details}}`; for sessions `{error_code, msg}`, or OAuth's `{error,
 * error_description}`; and for storage `{statusCode, code, message}`, always under HTTP status 400.
 */
function parseErrorBody(body: unknown): ParsedError {
  if (!isRecord(body)) return {};
  const { error, error_code, error_description, msg, statusCode } = body;
  if (isRecord(error)) {
    const { code, message, details } = error;
    return { ...nonEmptyTexts({ code, message }), ...(isRecord(details) && { details }) };
  }
  if (statusCode !== undefined) return parseStorageError(body);
  if (typeof error_description === 'string') return nonEmptyTexts({ code: error, message: error_description });
  return nonEmptyTexts({ code: error_code, message: msg });
}

function parseStorageError({ statusCode, code, message, details }: Record<string, unknown>): ParsedError {
  const status = Number(statusCode);
  return {
    ...nonEmptyTexts({ code, message }),
    ...(status >= 400 && status < 600 && { status }),
    ...(isRecord(details) && { details }),
  };
}

function nonEmptyTexts(fields: Record<'code' | 'message', unknown>): ParsedError {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string' && value !== ''));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The header holds seconds or a date, which is by the server's clock. */
function parseRetryAfterMs(header: string | null, serverMs: number): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - (serverMs || Date.now());
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Whether the same request may succeed later: no answer came, or the server has a temporary problem. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof RendioError)) return false;
  // 501: switched off by the server's configuration.
  return (error.status >= 500 && error.status !== 501) || error.status === 429 || error.status === 408;
}
