import { isDatabaseError } from '../db/outage.ts';
import { errorCodeOf } from '../kernel/error-code.ts';

/** A log line includes at most this many nested causes. */
const CAUSES_MAX = 4;

/**
 * Returns the parts of an error that may be logged. PostgreSQL's messages quote values, so only its code and names are kept.
 * A parser's message quotes its input, so only the stack frames are kept.
 */
export function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error))
    return { name: typeof error, ...(typeof error === 'string' ? { message: error } : {}) };
  const { name, message, stack, cause } = error;
  if (isDatabaseError(error)) {
    const { code, constraint, table, routine } = error;
    return { name, code, constraint, table, routine };
  }
  const errorCode = errorCodeOf(error);
  const code = errorCode === null ? {} : { code: errorCode };
  const text = error instanceof SyntaxError ? { at: framesOf(stack) } : { message, at: framesOf(stack) };
  const because = cause !== undefined && depth < CAUSES_MAX ? { cause: describeError(cause, depth + 1) } : {};
  return { name, ...code, ...text, ...because };
}

/** Returns the frames without the message, which begins a stack. */
function framesOf(stack = ''): string[] {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '));
}

/** Longer texts are no names of classes, and no codes. */
const WORD = /^[\w.-]{1,60}$/;

/**
 * The parts of an error that may be stored for operators: of it and its causes the classes, codes and constraints, in which no value of
 * a user can be.
 */
export function causesOf(error: unknown): object[] {
  const causes: object[] = [];
  for (let current = error; current instanceof Error && causes.length < CAUSES_MAX; current = current.cause) {
    const { code, constraint } = isDatabaseError(current) ? current : { code: errorCodeOf(current), constraint: null };
    const words = Object.entries({ name: current.name, code, constraint });
    causes.push(Object.fromEntries(words.filter(([, word]) => typeof word === 'string' && WORD.test(word))));
  }
  return causes;
}
