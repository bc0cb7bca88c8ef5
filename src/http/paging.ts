import { z } from '@hono/zod-openapi';
import { decodeCursor } from '../kernel/cursor.ts';

/** A whole number in a query string: digits only, no sign, no exponent. */
function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
}

const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 20;
/** Offsets are for small lists. With a cursor every page costs the same, however far back it is. */
const OFFSET_MAX = 100_000;

export function pageSize(usual: number) {
  return wholeNumber(1, LIMIT_MAX).default(usual).openapi({
    type: 'integer',
    minimum: 1,
    maximum: LIMIT_MAX,
    default: usual,
    description: 'The maximum number of items to return.',
  });
}

export const limit = pageSize(LIMIT_DEFAULT);

export const offset = wholeNumber(0, OFFSET_MAX).default(0).openapi({
  type: 'integer',
  minimum: 0,
  maximum: OFFSET_MAX,
  default: 0,
  description: 'The number of items to skip. For small lists; prefer `cursor`.',
});

/** The `next_cursor` of the previous page; null for the first page. */
export const cursor = z
  .string()
  .max(64)
  .transform((text, issues) => {
    const seq = decodeCursor(text);
    if (seq === null) issues.addIssue({ code: 'custom', message: 'not a valid cursor' });
    return seq;
  })
  .nullable()
  .default(null)
  .openapi({ type: 'string', description: 'The `next_cursor` of the previous page.' });
