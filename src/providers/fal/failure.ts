/** Maps fal's two error formats, and the errors of older endpoints that follow neither, to our codes. */
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';
import { isModerationMessage, isModerationType } from '../moderation.ts';
import type { DeclineReason } from '../provider.ts';
import { redact, withoutSecrets } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';
import { failureNamedBy } from '../status-word.ts';
import { messageIn, readVendorError, type VendorError } from '../vendor-error.ts';

/** `cause` quotes the vendor's text, for our log alone. */
export type Failure = { code: ErrorCode; cause: string; reason?: DeclineReason };

const typed = z.object({ type: z.string().min(1) });
/** Where fal's documentation puts the type of an error. */
const typeShape = z.object({
  error_type: z.string().min(1).optional().catch(undefined),
  detail: z.union([typed.transform((detail) => [detail]), z.array(typed.nullable().catch(null))]).catch([]),
});

const TIMEOUTS = new Set(['request_timeout', 'startup_timeout', 'generation_timeout']);
const OUTAGES = /^(?:runner_\w+|internal_error|internal_server_error|downstream_service_\w+|client_\w+)$/;
const UNREADABLE_IMAGE = /^(?:image_load_error|file_download_error|unsupported_image_format)$/;
/** Replies about our key, our account or our rate. */
const NEVER_ABOUT_CONTENT = new Set([401, 402, 408, 425, 429]);
/** An error of the model's own service, whose message may be about the content. */
const DOWNSTREAM_ERROR = 'downstream_service_error';

/** `types` is empty where fal named none. `isAboutInput`: the error is a list of what is wrong with the input. */
type FalError = VendorError & { types: string[]; isAboutInput: boolean };

function readError({ headers, text }: Pick<Reply, 'headers' | 'text'>): FalError {
  const body = parseJson(text);
  const { error_type, detail = [] } = typeShape.safeParse(body).data ?? {};
  const types = [error_type, headers.get('x-fal-error-type'), ...detail.map((each) => each?.type)];
  return {
    ...readVendorError(body),
    types: types.filter((type) => typeof type === 'string' && type !== '').map(String),
    isAboutInput: detail.length > 0,
  };
}

/** Whether fal names the type of the error: then even a 5xx is about the job, and not a failure on the way to fal. */
export function hasErrorType(reply: Reply): boolean {
  return readError(reply).types.length > 0;
}

/** Whether fal explains the error in its own format, though perhaps without a type. */
export function hasErrorMessage(reply: Reply): boolean {
  return readError(reply).lines.length > 0;
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
  const error = readError(reply);
  const quoted = quote([error.types[0], messageIn(error)], secrets);
  return failureOf(error, reply.status, `answered ${reply.status}${quoted === '' ? '' : ` (${quoted})`}`, secrets);
}

/**
 * Why the job failed, by a reply of success whose fields say so: `word` is its status. fal passes a model's reply on as
 * `Invalid status code: 422`.
 */
export function failureOfBody(
  { headers, text, word }: Pick<Reply, 'headers' | 'text'> & { word: string },
  secrets: readonly string[],
): Failure {
  const error = readError({ headers, text });
  const message = messageIn(error);
  const status = Number(/status code: (\d{3})/.exec(message)?.[1] ?? statusNamedBy(word, message, error));
  const quoted = quote([word, error.types[0], message], secrets);
  return failureOf({ ...error, names: [...error.names, word] }, status, `ended with an error (${quoted})`, secrets);
}

function statusNamedBy(word: string, message: string, { isAboutInput }: FalError): number {
  const kind = failureNamedBy(word);
  if (kind === 'timeout' || /timed out|timeout/i.test(message)) return 504;
  return kind === 'declined' || isAboutInput ? 422 : 500;
}

function quote(parts: (string | undefined)[], secrets: readonly string[]): string {
  const redacted = parts.map((part) => redact(part ?? '', secrets));
  return redacted.filter((part) => part !== '').join(': ');
}

function failureOf(error: FalError, status: number, cause: string, secrets: readonly string[]): Failure {
  if (isModerated(error, secrets) && !NEVER_ABOUT_CONTENT.has(status)) {
    return { code: 'ERR_5003', cause: `moderated: ${cause}`, reason: 'moderated' };
  }
  const code = codeOf(error.types, status);
  const isUnreadable = code === 'ERR_5003' && error.types.some((type) => UNREADABLE_IMAGE.test(type));
  return isUnreadable ? { code, cause, reason: 'image_unreadable' } : { code, cause };
}

function isModerated({ types, names, lines }: FalError, secrets: readonly string[]): boolean {
  if ([...types, ...names].some(isModerationType)) return true;
  const isOutage = types.some((type) => TIMEOUTS.has(type) || (OUTAGES.test(type) && type !== DOWNSTREAM_ERROR));
  return !isOutage && lines.some(({ text }) => isModerationMessage(withoutSecrets(text, secrets)));
}
