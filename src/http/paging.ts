import { z } from '@hono/zod-openapi';
import { decodeCursor } from '../kernel/cursor.ts';

/** Whole numbers as a query writes them: digits, no sign, no exponent. */
function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
}

const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 20;
/** Offsets are for small lists; far pages are reached by cursor at the same cost as near ones. */
const OFFSET_MAX = 100_000;

export const limit = wholeNumber(1, LIMIT_MAX).default(LIMIT_DEFAULT).openapi({
  type: 'integer',
  minimum: 1,
  maximum: LIMIT_MAX,
  default: LIMIT_DEFAULT,
  description: 'How many to answer with.',
});

export const offset = wholeNumber(0, OFFSET_MAX).default(0).openapi({
  type: 'integer',
  minimum: 0,
  maximum: OFFSET_MAX,
  default: 0,
  description: 'How many to skip, in small lists.',
});

/** The `next_cursor` of the page before; null on the first. */
export const cursor = z
  .string()
  .max(64)
  .transform((text, issues) => {
    const seq = decodeCursor(text);
    if (seq === null) issues.addIssue({ code: 'custom', message: 'not a cursor of ours' });
    return seq;
  })
  .nullable()
  .default(null)
  .openapi({ type: 'string', description: 'The `next_cursor` of the page before.' });
