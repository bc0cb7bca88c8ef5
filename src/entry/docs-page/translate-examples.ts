import { ERROR_STATUS, type ErrorCode } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import { messageFor } from '../../kernel/messages/index.ts';

type Node = Record<string, unknown>;

/** A copy of an OpenAPI document whose examples say in `locale` what they say in English. */
export function translateExamples(node: unknown, locale: Locale): unknown {
  if (locale === 'en' || typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => translateExamples(item, locale));
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, translateExamples(value, locale)]));
  return { ...copy, ...sentencesOf(node as Node, locale) };
}

/** The sentence of an error, or of a job that failed, where this is an example of one. */
function sentencesOf(node: Node, locale: Locale): Node {
  const { code, message, details, error_code: jobCode, error_message: jobMessage, credits_used: refunded } = node;
  if (isCode(code) && typeof message === 'string' && typeof details === 'object' && details !== null) {
    return { message: sayAs(message, code, { ...details }, locale) };
  }
  if (isCode(jobCode) && typeof jobMessage === 'string') {
    return { error_message: sayAs(jobMessage, jobCode, { refunded }, locale) };
  }
  return {};
}

/** What is said of a 403 needs a reason that its details do not hold. */
function sayAs(english: string, code: ErrorCode, details: Node, locale: Locale): string {
  const told = [details, { reason: 'forbidden', ...details }].find((one) => messageFor(code, 'en', one) === english);
  return told ? messageFor(code, locale, told) : english;
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_STATUS, code);
}
