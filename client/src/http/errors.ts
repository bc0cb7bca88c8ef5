/** The server said no. `message` is its sentence, in the client's language. */
export class RendioError extends Error {
  override readonly name: string = 'RendioError';
  /**
   * Such as `ERR_4001`; of a refresh, such as `session_expired`; of a storage of Supabase's, such as `EntityTooLarge`;
   * empty when it was not the server that answered.
   */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** What the sentence was made of, such as `{ required: 4, available: 2 }`. */
  readonly details: Record<string, unknown>;
  /** To quote when asking for help; null where the server could not be seen saying one. */
  readonly requestId: string | null;
  /** How long the server wants to be left alone, in milliseconds; null where it did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, answer: RefusalParts) {
    super(message);
    this.code = answer.code;
    this.status = answer.status;
    this.details = answer.details ?? {};
    this.requestId = answer.requestId ?? null;
    this.retryAfterMs = answer.retryAfterMs ?? null;
  }
}

export type RefusalParts = {
  code: string;
  status: number;
  details?: Record<string, unknown>;
  requestId?: string | null;
  retryAfterMs?: number | null;
};

/** No answer came, or none that could be read to its end: nobody knows whether the request arrived. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';
}

/** The video could not be made, and its credits are back. `code` and `message` are the job's. */
export class GenerationError<Job extends FailedJob = FailedJob> extends RendioError {
  override readonly name: string = 'GenerationError';
  readonly job: Job;

  constructor(job: Job) {
    super(job.error_message ?? 'The video could not be made.', { code: job.error_code ?? '', status: 200 });
    this.job = job;
  }
}

type FailedJob = { error_code: string | null; error_message: string | null };

/** An answer that is no yes, as an error. Throws a ConnectionError where the answer broke off. */
export async function refusalOf(response: Response): Promise<RendioError> {
  const text = await response.text();
  const said = sentenceIn(parse(text));
  return new RendioError(said.message ?? `The server answered ${response.status}.`, {
    code: said.code ?? '',
    status: said.status ?? response.status,
    details: said.details ?? {},
    requestId: response.headers.get('X-Request-Id'),
    retryAfterMs: retryAfterMs(response.headers.get('Retry-After')),
  });
}

type Said = { message?: string; code?: string; status?: number; details?: Record<string, unknown> };

/**
 * The three dialects: `{error: {code, message, details}}`; of sessions `{error_code, msg}`; and of storage
 * `{statusCode, code, message}`, under HTTP status 400 whatever is wrong.
 */
function sentenceIn(body: unknown): Said {
  if (!isRecord(body)) return {};
  const { error, error_code, msg, statusCode } = body;
  if (isRecord(error)) {
    const { code, message, details } = error;
    return { ...texts({ code, message }), ...(isRecord(details) && { details }) };
  }
  if (statusCode !== undefined) return storageSays(body);
  return texts({ code: error_code, message: msg });
}

function storageSays({ statusCode, code, message, details }: Record<string, unknown>): Said {
  const status = Number(statusCode);
  return {
    ...texts({ code, message }),
    ...(status >= 400 && status < 600 && { status }),
    ...(isRecord(details) && { details }),
  };
}

function texts(fields: Record<'code' | 'message', unknown>): Said {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string' && value !== ''));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Whether a question is worth repeating: nobody answered, or the server is in trouble. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof RendioError && (error.status >= 500 || error.status === 429 || error.status === 408);
}
