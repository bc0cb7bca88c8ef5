/** Maps fal's two error formats, and the errors of older endpoints that follow neither, to our codes. */
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { DeclineReason } from '../provider.ts';
import { redact } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';

/** `cause` quotes the vendor's text, for our log alone. */
export type Failure = { code: ErrorCode; cause: string; reason?: DeclineReason };

const detailShape = z.object({
  loc: z.array(z.union([z.string(), z.number()])).catch([]),
  msg: z.string().catch(''),
  type: z.string().catch(''),
});
const errorShape = z.object({
  detail: z
    .union([z.string(), z.array(detailShape)])
    .optional()
    .catch(undefined),
  error_type: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

const TIMEOUTS = new Set(['request_timeout', 'startup_timeout', 'generation_timeout']);
const OUTAGES = /^(?:runner_\w+|internal_error|internal_server_error|downstream_service_\w+|client_\w+)$/;
const MODERATED = 'content_policy_violation';
/** Some endpoints have no error type for it yet and say it in their message. */
const MODERATED_MESSAGE = /content[ _](?:policy|checker|moderation)|flagged|nsfw/i;

/** The reply's error in one format. `types` is empty where fal named none. */
function readError({ headers, text }: Reply): { types: string[]; message: string; isJson: boolean } {
  const error = errorShape.safeParse(parseJson(text));
  const { detail, error_type, error: errorText, message: messageText } = error.data ?? {};
  const details = typeof detail === 'object' ? detail : [];
  const types = [error_type, headers.get('x-fal-error-type'), ...details.map(({ type }) => type)];
  const lines = details.map(({ loc, type, msg }) => `${loc.join('.')} ${type}: ${msg}`.trim());
  const message = typeof detail === 'string' ? detail : lines.join('; ') || errorText || messageText || '';
  return {
    types: types.filter((type) => typeof type === 'string').filter((type) => type !== ''),
    message,
    isJson: error.success,
  };
}

/** Whether fal names the type of the error: then even a 5xx is about the job, and not a failure on the way to fal. */
export function hasErrorType(reply: Reply): boolean {
  return readError(reply).types.length > 0;
}

/** Whether fal explains the error in its own format, though without a type. */
export function hasErrorMessage(reply: Reply): boolean {
  const { isJson, message } = readError(reply);
  return isJson && message !== '';
}

function codeOf(types: readonly string[], status: number): ErrorCode {
  if (types.some((type) => TIMEOUTS.has(type))) return 'ERR_5001';
  if (types.some((type) => OUTAGES.test(type))) return 'ERR_5002';
  if (types.length > 0 && status < 500) return 'ERR_5003';
  if (status === 408 || status === 504) return 'ERR_5001';
  return status >= 500 || status === 429 || status === 499 ? 'ERR_5002' : 'ERR_5003';
}

/** Why fal did not create the video, by a reply that is no success. */
export function failureOfReply(reply: Reply, secrets: readonly string[]): Failure {
  const { types, message } = readError(reply);
  const quoted = quote([types[0], message], secrets);
  return failureOf(types, reply.status, `answered ${reply.status}${quoted === '' ? '' : ` (${quoted})`}`, message);
}

/** Why the job failed, by a status with an error. fal passes a model's reply on as `Invalid status code: 422`. */
export function failureOfStatus(error: string, type: string | undefined, secrets: readonly string[]): Failure {
  const isTimeout = /timed out|timeout/i.test(error);
  const status = Number(/status code: (\d{3})/.exec(error)?.[1] ?? (isTimeout ? 504 : 500));
  return failureOf(type ? [type] : [], status, `completed with an error (${quote([type, error], secrets)})`, error);
}

function quote(parts: (string | undefined)[], secrets: readonly string[]): string {
  const redacted = parts.map((part) => redact(part ?? '', secrets));
  return redacted.filter((part) => part !== '').join(': ');
}

function failureOf(types: readonly string[], status: number, cause: string, message: string): Failure {
  const code = codeOf(types, status);
  const isModerated = types.includes(MODERATED) || (types.length === 0 && MODERATED_MESSAGE.test(message));
  return code === 'ERR_5003' && isModerated
    ? { code, cause: `moderated: ${cause}`, reason: 'moderated' }
    : { code, cause };
}
