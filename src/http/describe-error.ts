import { isDatabaseError } from '../db/outage.ts';
import { errorCodeOf } from '../kernel/error-code.ts';

/** How far down a chain of causes a log line follows. */
const CAUSES_MAX = 4;

/**
 * An error as a log line may hold it. PostgreSQL's own sentences quote values, and a parser's quote its input: of the first
 * only the code and the names are kept, of the second only where it happened.
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

/** The calls alone: a stack begins with the message. */
function framesOf(stack = ''): string[] {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '));
}
