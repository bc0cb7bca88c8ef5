/** Runway's words on what went wrong, in an answer or with a task, as our codes. */
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { DeclineReason } from '../provider.ts';
import { redact } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';

/** `cause` holds the vendor's words, for our log alone. */
export type Failure = { code: ErrorCode; cause: string; reason?: DeclineReason };

const issueShape = z.object({
  path: z.array(z.union([z.string(), z.number()])).catch([]),
  message: z.string().catch(''),
});
const errorShape = z.object({ error: z.string().catch(''), issues: z.array(issueShape).catch([]) });

/** An empty account is told by words, under the status of a bad request. */
const SAYS_UNPAID = /enough credits|purchased credits|purchase credits/i;

const MODERATED = /^(?:INPUT_PREPROCESSING\.)?SAFETY(?:\.|$)/;
const UNFIT = /^ASSET\.INVALID\b|(?:^|\.)INPUT_VALIDATION(?:\.|$)/;

/** Why Runway did not take the request, by an answer that is no success. */
export function failureOfReply({ status, text }: Reply, secrets: readonly string[]): Failure {
  const { error, issues } = errorShape.catch({ error: '', issues: [] }).parse(parseJson(text));
  const lines = [error, ...issues.map(({ path, message }) => `${path.join('.')}: ${message}`)];
  const words = redact(lines.filter((line) => line !== '').join('; '), secrets);
  const isOurFault = [401, 402, 403].includes(status) || SAYS_UNPAID.test(error);
  return {
    code: isOurFault || status >= 500 ? 'ERR_5002' : 'ERR_5003',
    cause: `answered ${status}${words === '' ? '' : ` (${words})`}`,
  };
}

/** Why a task failed. Codes are many and more to come: their beginnings decide, and what nobody knows is an outage. */
export function failureOfTask(code: string | undefined, words: string, secrets: readonly string[]): Failure {
  const cause = redact([code ?? 'no code', words].filter((part) => part !== '').join(': '), secrets);
  if (MODERATED.test(code ?? '')) return { code: 'ERR_5003', cause: `moderated: ${cause}`, reason: 'moderated' };
  return { code: UNFIT.test(code ?? '') ? 'ERR_5003' : 'ERR_5002', cause: `failed (${cause})` };
}
