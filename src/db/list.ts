/**
 * Lists for administrators: newest first, filtered, a page at a time. Every page costs the same, however long the list is and
 * whatever is filtered: one statement reads a bounded part of one index.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { Problem } from '../kernel/errors.ts';
import { parseUuid } from '../kernel/ids.ts';
import { decodePosition, encodePosition, type Position } from '../kernel/list-cursor.ts';
import type { DB } from './generated.ts';

/** What a page is asked for. `from` and `to` bound the time of the rows, `to` not included. */
export type ListRequest = { limit: number; cursor: string | null; from?: Date | undefined; to?: Date | undefined };

/** `nextCursor`: leads to the next page; null on the last one. */
export type Page<Row> = { rows: Row[]; nextCursor: string | null };

/** `sql`: a condition on the row `t`. */
type Filter<Value> = {
  where(value: Value): RawBuilder<boolean>;
  /** Whether an index has the rows of one value in the order of the list, or there are hardly any of one value. */
  isIndexed?: boolean | ((value: Value) => boolean);
};

/** A list of the rows of a table, known as `t`. Its index has the columns `time` and `id`, which never change. */
export type List<Filters extends object, Row> = {
  /** In its cursors. */
  name: string;
  table: string;
  time: string;
  id: { column: string; type: 'bigint' | 'uuid' | 'text' };
  /** What is selected, from `t` and what is joined to it. */
  columns: RawBuilder<Row>;
  joins?: RawBuilder<unknown>;
  /** Holds for all rows of the list, and so does the index. */
  always?: RawBuilder<boolean>;
  /** An indexed one that comes first is looked up in its index; the others are compared row by row. */
  filters: { [Name in keyof Filters]-?: Filter<NonNullable<Filters[Name]>> };
};

/**
 * How many rows are compared with filters that no index has. A page for which these do not suffice is shorter than asked for, or
 * empty, and its cursor goes on behind them.
 */
const SCANNED_MAX = 2_000;

/** In UTC, to the microsecond; a cursor has it. */
export function positionTime(column: RawBuilder<unknown>): RawBuilder<string> {
  return sql`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Reads a page. Throws ERR_4006 for a cursor that is not of this list with these filters. */
export async function readPage<Filters extends object, Row>(
  db: Kysely<DB>,
  list: List<Filters, Row>,
  { limit, cursor, from, to, ...filters }: ListRequest & Filters,
): Promise<Page<Row>> {
  const given = { ...filters, from: from?.toISOString(), to: to?.toISOString() };
  const after = cursor === null ? null : await positionIn(list, given, cursor);
  const { indexed, compared } = conditionsOf(list, filters as unknown as Filters);
  const inRange = [...(list.always ? [list.always] : []), ...indexed, ...rangeOf(list, { after, from, to })];
  const read = compared.length === 0 ? readIndexed : readCompared;
  const { rows, end } = await read(db, list, { limit, inRange, compared });
  const nextCursor = end === null ? null : await encodePosition(list.name, given, end);
  return { rows, nextCursor };
}

async function positionIn(
  list: Pick<List<object, unknown>, 'name' | 'id'>,
  filters: object,
  cursor: string,
): Promise<Position> {
  const position = await decodePosition(list.name, filters, cursor);
  if (position === null || !IS_ID[list.id.type](position.id)) {
    throw new Problem('ERR_4006', { details: { field: 'cursor' } });
  }
  return position;
}

const IS_ID: Record<List<object, unknown>['id']['type'], (id: string) => boolean> = {
  bigint: (id) => /^\d{1,18}$/.test(id),
  uuid: (id) => parseUuid(id) === id,
  text: () => true,
};

type Condition = RawBuilder<boolean>;

/** The first filter with an index decides where rows are looked for. */
function conditionsOf<Filters extends object, Row>(
  list: List<Filters, Row>,
  filters: Filters,
): { indexed: Condition[]; compared: Condition[] } {
  const [indexed, compared]: [Condition[], Condition[]] = [[], []];
  for (const name of Object.keys(list.filters) as (keyof Filters)[]) {
    const value = filters[name];
    if (value === undefined || value === null) continue;
    const { where, isIndexed = false } = list.filters[name];
    const hasIndex = typeof isIndexed === 'function' ? isIndexed(value) : isIndexed;
    if (hasIndex && indexed.length === 0) indexed.push(where(value));
    else compared.push(where(value));
  }
  return { indexed, compared };
}

type Range = { after: Position | null; from: Date | undefined; to: Date | undefined };

function rangeOf({ time, id }: Pick<List<object, unknown>, 'time' | 'id'>, { after, from, to }: Range): Condition[] {
  const [at, key] = [column(time), column(id.column)];
  return [
    ...(from ? [sql<boolean>`${at} >= ${from}`] : []),
    ...(to ? [sql<boolean>`${at} < ${to}`] : []),
    ...(after
      ? [sql<boolean>`(${at}, ${key}) < (${after.at}::timestamptz, ${after.id}::text::${sql.raw(id.type)})`]
      : []),
  ];
}

type Reading = { limit: number; inRange: Condition[]; compared: Condition[] };
type Read<Row> = { rows: Row[]; end: Position | null };

/** What a statement returns beside a row: its position and, where rows were compared, the end and the number of those. */
type Located = { list_at: string | null; list_id: string; end_at?: string; end_id?: string; scanned?: number };

/** All conditions are the index's: it has the page. */
async function readIndexed<Filters extends object, Row>(
  db: Kysely<DB>,
  list: List<Filters, Row>,
  { limit, inRange }: Reading,
): Promise<Read<Row>> {
  const { rows } = await sql<Located & Row>`
    select ${positionOf(list, 'list')}, ${list.columns}
    from (
      select t.* from ${sql.table(list.table)} t ${all(inRange)} ${newestFirst(list)} limit ${limit + 1}
    ) t ${list.joins ?? sql``}
    ${newestFirst(list)}`.execute(db);
  return pageOf(rows, limit);
}

/** Of the next rows in the index those that meet the other conditions, and where the last of these rows is. */
async function readCompared<Filters extends object, Row>(
  db: Kysely<DB>,
  list: List<Filters, Row>,
  { limit, inRange, compared }: Reading,
): Promise<Read<Row>> {
  const { rows } = await sql<Located & Row>`
    with scanned as materialized (
      select t.* from ${sql.table(list.table)} t ${all(inRange)} ${newestFirst(list)} limit ${SCANNED_MAX}
    ), found as (
      select t.* from scanned t ${all(compared)} ${newestFirst(list)} limit ${limit + 1}
    ), last as (
      select ${positionOf(list, 'end')}, (select count(*)::integer from scanned) as scanned
      from scanned t order by ${column(list.time)}, ${column(list.id.column)} limit 1
    )
    select e.*, ${positionOf(list, 'list')}, ${list.columns}
    from last e left join found t on true ${list.joins ?? sql``}
    ${newestFirst(list)}`.execute(db);
  const page = pageOf(
    rows.filter(({ list_at }) => list_at !== null),
    limit,
  );
  const { end_at, end_id, scanned = 0 } = rows[0] ?? {};
  if (page.end !== null || scanned < SCANNED_MAX || end_at === undefined || end_id === undefined) return page;
  return { rows: page.rows, end: { at: end_at, id: end_id } };
}

function pageOf<Row>(rows: (Located & Row)[], limit: number): Read<Row> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    rows: shown.map(
      ({ list_at: _at, list_id: _id, end_at: _endAt, end_id: _endId, scanned: _n, ...row }) => row as Row,
    ),
    end: last?.list_at ? { at: last.list_at, id: last.list_id } : null,
  };
}

function positionOf({ time, id }: Pick<List<object, unknown>, 'time' | 'id'>, name: 'list' | 'end') {
  const names = [sql.ref(`${name}_at`), sql.ref(`${name}_id`)];
  return sql`${positionTime(column(time))} as ${names[0]}, ${column(id.column)}::text as ${names[1]}`;
}

const column = (name: string) => sql.ref(`t.${name}`);

/** The account that an id addresses: a merged guest's survivor, else the id itself. */
export function survivorOf(userId: string): RawBuilder<string> {
  return sql`coalesce((select survivor_id from merged_users where user_id = ${userId}::uuid), ${userId}::uuid)`;
}

function newestFirst({ time, id }: Pick<List<object, unknown>, 'time' | 'id'>) {
  return sql`order by ${column(time)} desc, ${column(id.column)} desc`;
}

function all(conditions: Condition[]) {
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
}
