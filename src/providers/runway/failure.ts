/** Maps Runway's errors, of a reply or of a task, to our codes. */
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';
import type { DeclineReason } from '../provider.ts';
import { redact } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';

/** `cause` quotes the vendor's text, for our log alone. */
export type Failure = { code: ErrorCode; cause: string; reason?: DeclineReason };

const issueShape = z.object({
  path: z.array(z.union([z.string(), z.number()])).catch([]),
  message: z.string().catch(''),
});
const errorShape = z.object({ error: z.string().catch(''), issues: z.array(issueShape).catch([]) });

/** An account without credits is told by this message, with the status of a bad request. */
const UNPAID_MESSAGE = /enough credits|purchased credits|purchase credits/i;

const MODERATED = /^(?:INPUT_PREPROCESSING\.)?SAFETY(?:\.|$)/;
const INVALID_INPUT = /^ASSET\.INVALID\b|(?:^|\.)INPUT_VALIDATION(?:\.|$)/;

/** Why Runway did not accept the request, by a reply that is no success. */
export function failureOfReply({ status, text }: Reply, secrets: readonly string[]): Failure {
  const { error, issues } = errorShape.catch({ error: '', issues: [] }).parse(parseJson(text));
  const lines = [error, ...issues.map(({ path, message }) => `${path.join('.')}: ${message}`)];
  const quoted = redact(lines.filter((line) => line !== '').join('; '), secrets);
  const isOurFault = [401, 402, 403].includes(status) || UNPAID_MESSAGE.test(error);
  return {
    code: isOurFault || status >= 500 ? 'ERR_5002' : 'ERR_5003',
    cause: `answered ${status}${quoted === '' ? '' : ` (${quoted})`}`,
  };
}

/** Why a task failed. Runway adds codes over time: their beginnings decide, and an unknown code counts as an outage. */
export function failureOfTask(code: string | undefined, message: string, secrets: readonly string[]): Failure {
  const cause = redact([code ?? 'no code', message].filter((part) => part !== '').join(': '), secrets);
  if (MODERATED.test(code ?? '')) return { code: 'ERR_5003', cause: `moderated: ${cause}`, reason: 'moderated' };
  return { code: INVALID_INPUT.test(code ?? '') ? 'ERR_5003' : 'ERR_5002', cause: `failed (${cause})` };
}
