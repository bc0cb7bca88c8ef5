/** The query and the answer of a list for administrators. */
import { z } from '@hono/zod-openapi';
import type { Page } from '../db/list.ts';
import { pageSize } from './paging.ts';

const LIMIT_DEFAULT = 25;
/** A cursor holds a time and an id of at most 200 characters. */
const CURSOR_MAX = 1_200;
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
/** ISO 8601 with a time zone: without one, the same text would mean another moment on another machine. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

const text = z.string().max(CURSOR_MAX);

/** The `next_cursor` of the previous page; the verb knows whether it is one of its list. */
export const listCursor = text
  .nullable()
  .default(null)
  .openapi({ type: 'string', description: 'The `next_cursor` of the previous page, with the same filters.' });

/** The first moment that a day or an instant begins with. */
export const from = moment((at) => at, 'The first day (`2026-11-01`, in UTC) or instant.');

/** The first moment behind a day, or behind a millisecond. */
export const to = moment(
  (at, isDay) => new Date(at.getTime() + (isDay ? DAY_MS : 1)),
  'The last day (`2026-11-30`, in UTC) or instant; it is included.',
);

function moment(bound: (at: Date, isDay: boolean) => Date, description: string) {
  return z
    .string()
    .max(40)
    .transform((given, issues) => {
      const at = DAY.test(given) || INSTANT.test(given) ? new Date(given) : new Date(Number.NaN);
      const isReal = !Number.isNaN(at.getTime()) && (!DAY.test(given) || at.toISOString().startsWith(given));
      if (isReal && at.getUTCFullYear() >= 1 && at.getUTCFullYear() < 9999) return bound(at, DAY.test(given));
      issues.addIssue({ code: 'custom', message: 'not a day or an instant' });
      return z.NEVER;
    })
    .optional()
    .openapi({ type: 'string', format: 'date-time', description });
}

/** The query of a list: `limit`, `cursor`, `from`, `to` and the list's own filters, all optional. */
export function listQuery<Filters extends z.ZodRawShape>(filters: Filters) {
  return z.object({ ...filters, from, to, limit: pageSize(LIMIT_DEFAULT), cursor: listCursor });
}

/** The answer of a list: its rows under the list's name, and the cursor. */
export function listOf<Name extends string, Item extends z.ZodType>(name: Name, item: Item) {
  return z.object({ [name]: z.array(item), next_cursor: nextCursor } as Record<Name, z.ZodArray<Item>> & {
    next_cursor: typeof nextCursor;
  });
}

export const nextCursor = z
  .string()
  .nullable()
  .openapi({
    description:
      'Send it as `cursor` to get the next page; null on the last page. A page may have fewer rows than asked for, or none, and still ' +
      'be followed by others: filters without an index are compared with a bounded number of rows at a time.',
  });

/** A row with its times as texts. */
export type Shown<Row> = { [Name in keyof Row]: ShownValue<Row[Name]> };
type ShownValue<Value> = Value extends Date ? string : Value;

export function shown<Row extends object>(row: Row): Shown<Row> {
  const values = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Date ? value.toISOString() : value,
  ]);
  return Object.fromEntries(values) as Shown<Row>;
}

/** A page in the form of `listOf`. */
export function answerOfList<Name extends string, Row extends object>(
  name: Name,
  { rows, nextCursor: next_cursor }: Page<Row>,
): Record<Name, Shown<Row>[]> & { next_cursor: string | null } {
  return { [name]: rows.map(shown), next_cursor } as Record<Name, Shown<Row>[]> & { next_cursor: string | null };
}
