/**
 * Lists for administrators: newest first, filtered, a page at a time. Every page costs the same, however long the list is and
 * whatever is filtered: a page reads a bounded part of one index.
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

/** The column with which an index begins whose further columns are the list's time and id. `holds`: for all rows in the index. */
type Leading = { column: RawBuilder<unknown>; value: RawBuilder<unknown>; holds?: RawBuilder<boolean> | undefined };

/** Conditions are on the row `t`. */
type Filter<Value> = {
  where(value: Value): RawBuilder<boolean>;
  /** How the rows of one value are found: by an index in the list's order, or by one that has hardly any of one value. */
  index?: (value: Value) => Leading | 'lookup' | null;
};

type LeadingOptions<Value> = {
  value(value: Value): RawBuilder<unknown>;
  /** Of a partial index: which values it has, and what holds for its rows. */
  has?: (value: Value) => boolean;
  holds?: RawBuilder<boolean>;
};

/** A filter by a column with an index in the list's order. */
export function leading<Value>(column: RawBuilder<unknown>, options: LeadingOptions<Value>): Filter<Value> {
  const { value: inSql, has = () => true, holds } = options;
  return {
    where: (value) => sql`${column} = ${inSql(value)}`,
    index: (value) => (has(value) ? { column, value: inSql(value), holds } : null),
  };
}

/** A filter by an id, of which there are hardly any rows. */
export function lookup<Value>(where: (value: Value) => RawBuilder<boolean>): Filter<Value> {
  return { where, index: () => 'lookup' };
}

/** A filter without an index. */
export function compared<Value>(where: (value: Value) => RawBuilder<boolean>): Filter<Value> {
  return { where };
}

export const uuidValue = (id: string) => sql`${id}::uuid`;
export const textValue = (text: string) => sql`${text}::text`;

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
  /** Of those that are given, the first one with an index is looked up in it. */
  filters: { [Name in keyof Filters]-?: Filter<NonNullable<Filters[Name]>> };
};

/** All of a list but its filters. */
type Source<Row> = Omit<List<object, Row>, 'filters'>;

/**
 * How many rows are compared with filters that no index has. A page for which these do not suffice is shorter than asked for, or
 * empty, and its cursor goes on behind them.
 */
const SCANNED_MAX = 500;

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
  const { order, inIndex, others } = conditionsOf(list, filters as unknown as Filters);
  const inRange = [...(list.always ? [list.always] : []), ...inIndex, ...rangeOf(list, order, { after, from, to })];
  const read = others.length === 0 ? readIndexed : readCompared;
  const reading = { limit, rows: rowsOf(list, order, inRange), compared: others };
  const { rows, end } = await inIndexOrder(db, (transaction) => read(transaction, list, reading));
  const nextCursor = end === null ? null : await encodePosition(list.name, given, end);
  return { rows, nextCursor };
}

/** Reads rows by indexes that have the whole order. The planner would also read all rows of one value by an index on it alone, and sort them. */
export function inIndexOrder<T>(db: Kysely<DB>, read: (transaction: Kysely<DB>) => Promise<T>): Promise<T> {
  const reading = db.transaction().setAccessMode('read only');
  return reading.execute(async (transaction) => {
    await sql`set local enable_incremental_sort = off`.execute(transaction);
    return read(transaction);
  });
}

async function positionIn(list: Source<unknown>, filters: object, cursor: string): Promise<Position> {
  const position = await decodePosition(list.name, filters, cursor);
  if (position === null || !IS_ID[list.id.type](position.id)) {
    throw new Problem('ERR_4006', { details: { field: 'cursor' } });
  }
  return position;
}

const IS_ID: Record<Source<unknown>['id']['type'], (id: string) => boolean> = {
  bigint: (id) => /^\d{1,18}$/.test(id),
  uuid: (id) => parseUuid(id) === id,
  text: () => true,
};

type Condition = RawBuilder<boolean>;

/** The first filter with an index decides where rows are looked for; the others are compared row by row. */
function conditionsOf<Filters extends object, Row>(list: List<Filters, Row>, filters: Filters) {
  let order: Leading | null = null;
  const [inIndex, others]: [Condition[], Condition[]] = [[], []];
  for (const name of Object.keys(list.filters) as (keyof Filters)[]) {
    const value = filters[name];
    if (value === undefined || value === null) continue;
    const { where, index } = list.filters[name];
    const by: Leading | 'lookup' | null = order === null && inIndex.length === 0 ? (index?.(value) ?? null) : null;
    if (by === null) others.push(where(value));
    else if (by === 'lookup') inIndex.push(where(value));
    else order = by;
  }
  return { order, inIndex, others };
}

type Range = { after: Position | null; from: Date | undefined; to: Date | undefined };

/**
 * The part of the index that has the rows, as comparisons with all its columns. The value is equal to both bounds, but not said to be:
 * so no other index has the rows in the order that is asked for, and the planner, which does not see the value, cannot take
 * it for a rare one and read and sort all its rows.
 */
function rangeOf(list: Source<unknown>, order: Leading | null, { after, from, to }: Range): Condition[] {
  const [at, id] = [column(list.time), column(list.id.column)];
  const end = after && sql`${after.at}::timestamptz, ${after.id}::text::${sql.raw(list.id.type)}`;
  if (order === null) {
    return [
      ...(from ? [sql<boolean>`${at} >= ${from}`] : []),
      ...(to ? [sql<boolean>`${at} < ${to}`] : []),
      ...(end ? [sql<boolean>`(${at}, ${id}) < (${end})`] : []),
    ];
  }
  const value = sql`(select ${order.value})`;
  return [
    ...(order.holds ? [order.holds] : []),
    from ? sql<boolean>`(${order.column}, ${at}) >= (${value}, ${from})` : sql<boolean>`${order.column} >= ${value}`,
    to ? sql<boolean>`(${order.column}, ${at}) < (${value}, ${to})` : sql<boolean>`${order.column} <= ${value}`,
    ...(end ? [sql<boolean>`(${order.column}, ${at}, ${id}) < (${value}, ${end})`] : []),
  ];
}

/** `rows`: what the index has, newest first. */
type Reading = { limit: number; rows: RawBuilder<unknown>; compared: Condition[] };
type Read<Row> = { rows: Row[]; end: Position | null };

/** A row's position, and where the rows end that were compared for a page. */
type Located = { list_at: string | null; list_id: string; end_at?: string | null; end_id?: string };

/** All conditions are the index's: it has the page. */
async function readIndexed<Row>(db: Kysely<DB>, list: Source<Row>, { limit, rows }: Reading): Promise<Read<Row>> {
  const found = await sql<Located & Row>`
    select ${positionOf(list, 'list')}, ${list.columns}
    from (${rows} limit ${limit + 1}) t ${list.joins ?? sql``}
    ${newestFirst(list)}`.execute(db);
  return pageOf(found.rows, limit);
}

/** Of the next rows in the index those that meet the other conditions. Where they are too few, the cursor is behind all compared ones. */
async function readCompared<Row>(
  db: Kysely<DB>,
  list: Source<Row>,
  { limit, rows, compared: conditions }: Reading,
): Promise<Read<Row>> {
  // `offset 0` keeps the conditions out of the rows that are bounded. The end is looked for only if the page is not full.
  const found = await sql<Located & Row>`
    with found as materialized (
      select t.* from (${rows} limit ${SCANNED_MAX} offset 0) t
      ${all(conditions)} ${newestFirst(list)} limit ${limit + 1}
    ), compared as (
      select t.*, row_number() over (${newestFirst(list)}) as place
      from (select ${column(list.time)}, ${column(list.id.column)} from (${rows} limit ${SCANNED_MAX}) t) t
    ), last as (
      select ${positionOf(list, 'end')} from compared t
      where t.place = ${SCANNED_MAX} and (select count(*) from found) <= ${limit}
    )
    select e.*, ${positionOf(list, 'list')}, ${list.columns}
    from (select) one left join last e on true left join found t on true ${list.joins ?? sql``}
    ${newestFirst(list)}`.execute(db);
  const [{ end_at = null, end_id = '' } = {}] = found.rows;
  const page = pageOf(
    found.rows.filter(({ list_at }) => list_at !== null),
    limit,
  );
  return end_at === null ? page : { ...page, end: { at: end_at, id: end_id } };
}

function rowsOf(list: Source<unknown>, order: Leading | null, inRange: Condition[]): RawBuilder<unknown> {
  const [at, id] = [column(list.time), column(list.id.column)];
  const first = order ? sql`${order.column} desc, ` : sql``;
  return sql`select t.* from ${sql.table(list.table)} t ${all(inRange)} order by ${first}${at} desc, ${id} desc`;
}

function pageOf<Row>(rows: (Located & Row)[], limit: number): Read<Row> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    rows: shown.map(({ list_at: _at, list_id: _id, end_at: _endAt, end_id: _endId, ...row }) => row as Row),
    end: last?.list_at ? { at: last.list_at, id: last.list_id } : null,
  };
}

function positionOf({ time, id }: Source<unknown>, name: 'list' | 'end') {
  const names = [sql.ref(`${name}_at`), sql.ref(`${name}_id`)];
  return sql`${positionTime(column(time))} as ${names[0]}, ${column(id.column)}::text as ${names[1]}`;
}

const column = (name: string) => sql.ref(`t.${name}`);

/** The account that an id addresses: a merged guest's survivor, else the id itself. */
export function survivorOf(userId: string): RawBuilder<string> {
  return sql`coalesce((select survivor_id from merged_users where user_id = ${userId}::uuid), ${userId}::uuid)`;
}

function newestFirst({ time, id }: Source<unknown>) {
  return sql`order by ${column(time)} desc, ${column(id.column)} desc`;
}

function all(conditions: Condition[]) {
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
}
