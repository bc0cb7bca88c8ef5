/** Maps Runway's errors, of a reply or of a task, to our codes. */
import type { ErrorCode } from '../../kernel/errors.ts';
import { isModerationMessage, isModerationType } from '../moderation.ts';
import type { DeclineReason } from '../provider.ts';
import { redact, withoutSecrets } from '../redact.ts';
import { parseJson, type Reply } from '../reply.ts';
import { failureNamedBy } from '../status-word.ts';
import { messageIn, readVendorError, type VendorError } from '../vendor-error.ts';

/** `cause` quotes the vendor's text, for our log alone. */
export type Failure = { code: ErrorCode; cause: string; reason?: DeclineReason };

/** An account without credits is told by this message, with the status of a bad request. */
const UNPAID_MESSAGE = /enough credits|purchased credits|purchase credits/i;
const OUR_FAULT = new Set([401, 402, 403]);

/** The image: no model that is used here takes another asset. */
const INVALID_ASSET = /^ASSET\.INVALID\b/;
const INVALID_INPUT = /(?:^|\.)INPUT_VALIDATION(?:\.|$)/;

/** Why Runway did not accept the request, or has failed its task, by a reply that is no success. */
export function failureOfReply({ status, text }: Reply, secrets: readonly string[]): Failure {
  const error = readVendorError(parseJson(text));
  const message = messageIn(error);
  const quoted = redact(message, secrets);
  const cause = `answered ${status}${quoted === '' ? '' : ` (${quoted})`}`;
  if (status >= 400 && status < 500 && !OUR_FAULT.has(status) && isModerated(error, secrets)) return moderated(cause);
  const isOurFault = OUR_FAULT.has(status) || UNPAID_MESSAGE.test(message);
  return { code: isOurFault || status >= 500 ? 'ERR_5002' : 'ERR_5003', cause };
}

/**
 * Why a task failed, by its fields; `word` is its status. Runway adds codes over time: their parts decide, and an unknown code
 * counts as an outage.
 */
export function failureOfTask(task: object, word: string, secrets: readonly string[]): Failure {
  const error = readVendorError(task);
  const [code] = error.names;
  const cause = redact([code ?? 'no code', messageIn(error)].filter((part) => part !== '').join(': '), secrets);
  if (isModerationType(word) || isModerated(error, secrets)) return moderated(cause);
  if (INVALID_ASSET.test(code ?? ''))
    return { code: 'ERR_5003', cause: `failed (${cause})`, reason: 'image_unreadable' };
  if (INVALID_INPUT.test(code ?? '')) return { code: 'ERR_5003', cause: `failed (${cause})` };
  const kind = failureNamedBy(word);
  if (code === undefined && kind === 'declined') return { code: 'ERR_5003', cause: `failed (${cause})` };
  return { code: kind === 'timeout' ? 'ERR_5001' : 'ERR_5002', cause: `failed (${cause})` };
}

function moderated(cause: string): Failure {
  return { code: 'ERR_5003', cause: `moderated: ${cause}`, reason: 'moderated' };
}

function isModerated({ names, lines }: VendorError, secrets: readonly string[]): boolean {
  return names.some(isModerationType) || lines.some(({ text }) => isModerationMessage(withoutSecrets(text, secrets)));
}
