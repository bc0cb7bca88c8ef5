import { ERROR_STATUS, type ErrorCode } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import { messageFor } from '../../kernel/messages/index.ts';

type Node = Record<string, unknown>;

/** A copy of an OpenAPI document in which the error messages of examples are translated to `locale`. */
export function translateExamples(node: unknown, locale: Locale): unknown {
  if (locale === 'en' || typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => translateExamples(item, locale));
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, translateExamples(value, locale)]));
  return { ...copy, ...translatedMessages(node as Node, locale) };
}

/** The translated message, if the node is an example of an error or of a failed job. */
function translatedMessages(node: Node, locale: Locale): Node {
  const { code, message, details, error_code: jobCode, error_message: jobMessage, credits_used: refunded } = node;
  if (isCode(code) && typeof message === 'string' && typeof details === 'object' && details !== null) {
    return { message: translate(message, code, { ...details }, locale) };
  }
  if (isCode(jobCode) && typeof jobMessage === 'string') {
    return { error_message: translate(jobMessage, jobCode, { refunded }, locale) };
  }
  return {};
}

/** The message of a 403 depends on a reason that is not in its details. */
function translate(english: string, code: ErrorCode, details: Node, locale: Locale): string {
  const used = [details, { reason: 'forbidden', ...details }].find((one) => messageFor(code, 'en', one) === english);
  return used ? messageFor(code, locale, used) : english;
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_STATUS, code);
}
