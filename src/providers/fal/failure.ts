/** fal's two error models, and the older endpoints that follow neither, as our codes. */
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { DeclineReason } from '../provider.ts';
import { redact } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';

/** `cause` holds the vendor's words, for our log alone. */
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
/** Endpoints that have no type for it yet say it in words. */
const SAYS_MODERATED = /content[ _](?:policy|checker|moderation)|flagged|nsfw/i;

/** What the reply says about a failure, in one form. `types` is empty where fal named none. */
function readError({ headers, text }: Reply): { types: string[]; words: string; isJson: boolean } {
  const error = errorShape.safeParse(parseJson(text));
  const { detail, error_type, error: named, message } = error.data ?? {};
  const details = typeof detail === 'object' ? detail : [];
  const types = [error_type, headers.get('x-fal-error-type'), ...details.map(({ type }) => type)];
  const lines = details.map(({ loc, type, msg }) => `${loc.join('.')} ${type}: ${msg}`.trim());
  const words = typeof detail === 'string' ? detail : lines.join('; ') || named || message || '';
  return {
    types: types.filter((type) => typeof type === 'string').filter((type) => type !== ''),
    words,
    isJson: error.success,
  };
}

/** Whether a 5xx is fal's last word on the job, as against trouble on the way to it. */
export function hasErrorType(reply: Reply): boolean {
  return readError(reply).types.length > 0;
}

/** A failure told in fal's own form, though without a type. */
export function hasErrorMessage(reply: Reply): boolean {
  const { isJson, words } = readError(reply);
  return isJson && words !== '';
}

function codeOf(types: readonly string[], status: number): ErrorCode {
  if (types.some((type) => TIMEOUTS.has(type))) return 'ERR_5001';
  if (types.some((type) => OUTAGES.test(type))) return 'ERR_5002';
  if (types.length > 0 && status < 500) return 'ERR_5003';
  if (status === 408 || status === 504) return 'ERR_5001';
  return status >= 500 || status === 429 || status === 499 ? 'ERR_5002' : 'ERR_5003';
}

/** Why fal did not make the video, by an answer that is no success. */
export function failureOfReply(reply: Reply, secrets: readonly string[]): Failure {
  const { types, words } = readError(reply);
  const said = [redact(types[0] ?? '', secrets), redact(words, secrets)].filter((part) => part !== '').join(': ');
  return failureOf(types, reply.status, `answered ${reply.status}${said === '' ? '' : ` (${said})`}`, words);
}

/** Why the job failed, by a status that names an error. `Invalid status code: 422` is how fal passes a model's answer on. */
export function failureOfStatus(error: string, type: string | undefined, secrets: readonly string[]): Failure {
  const isTimeout = /timed out|timeout/i.test(error);
  const status = Number(/status code: (\d{3})/.exec(error)?.[1] ?? (isTimeout ? 504 : 500));
  const said = [redact(type ?? '', secrets), redact(error, secrets)].filter((part) => part !== '').join(': ');
  return failureOf(type ? [type] : [], status, `completed with an error (${said})`, error);
}

function failureOf(types: readonly string[], status: number, cause: string, words: string): Failure {
  const code = codeOf(types, status);
  const isModerated = types.includes(MODERATED) || (types.length === 0 && SAYS_MODERATED.test(words));
  return code === 'ERR_5003' && isModerated
    ? { code, cause: `moderated: ${cause}`, reason: 'moderated' }
    : { code, cause };
}
