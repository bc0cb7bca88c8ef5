import { type RawBuilder, sql } from 'kysely';
import { inIndexOrder, positionTime } from '../../db/list.ts';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { decodePosition, encodePosition, type Position } from '../../kernel/list-cursor.ts';
import type { Context } from '../context.ts';
import { type AccountOfId, findAccountOf } from './find-account.ts';
import { TIMELINE_SOURCES, type TimelineData, type TimelineKind, type TimelineSource } from './timeline-sources.ts';

export type TimelineEvent = { at: string; kind: TimelineKind; summary: string; data: TimelineData };
export type TimelinePage = { events: TimelineEvent[]; nextCursor: string | null };
type Found = Position & { source: TimelineSource; data: TimelineData };
type TimelineRequest = { userId: string; limit: number; cursor: string | null };

const LIST = 'user-timeline';

/** The last event of the page before; `rank`: its source's place. */
type After = Position & { rank: number };

/**
 * Everything that has happened to an account, newest first; also what stands under the ids of its merged guests. A page reads at
 * most a page of each source, by an index. Throws ERR_4007, and ERR_4006 for another list's cursor.
 */
export async function readTimeline(
  ctx: Pick<Context, 'db'>,
  { userId, limit, cursor }: TimelineRequest,
): Promise<TimelinePage> {
  const account = await findAccountOf(ctx, userId);
  const after = cursor === null ? null : await afterOf(userId, cursor);
  const parts = TIMELINE_SOURCES.map((source, rank) => partOf(source, { rank, account, after, limit: limit + 1 }));
  const merged = sql<Position & { rank: number; data: TimelineData }>`
    ${sql.join(parts, sql` union all `)}
    order by at desc, rank, place
    limit ${limit + 1}`;
  const { rows } = await inIndexOrder(ctx.db.read, (db) => merged.execute(db));
  const found = rows.flatMap(({ rank, ...row }): Found[] => {
    const source = TIMELINE_SOURCES[rank];
    return source ? [{ ...row, source }] : [];
  });
  const shown = found.slice(0, limit);
  const last = found.length > limit ? shown.at(-1) : undefined;
  const end = last && { at: last.at, id: `${last.source.kind}:${last.id}` };
  return {
    events: shown.map(eventOf),
    nextCursor: end ? await encodePosition(LIST, { user_id: userId }, end) : null,
  };
}

async function afterOf(userId: string, cursor: string): Promise<After> {
  const position = await decodePosition(LIST, { user_id: userId }, cursor);
  const [kind, id = '', ...more] = position?.id.split(':') ?? [];
  const rank = TIMELINE_SOURCES.findIndex((source) => source.kind === kind);
  const isId = TIMELINE_SOURCES[rank]?.id.type === 'uuid' ? parseUuid(id) === id : /^\d{1,18}$/.test(id);
  if (position === null || rank === -1 || !isId || more.length > 0)
    throw new Problem('ERR_4006', { details: { field: 'cursor' } });
  return { at: position.at, id, rank };
}

type PartOptions = { rank: number; account: AccountOfId; after: After | null; limit: number };

/**
 * The next rows of one source. Of an account with merged guests the next ones of each id. The account is given as a range for the reason that
 * readPage has: the index is read in order, also for an account with far more rows than others.
 */
function partOf(source: TimelineSource, { rank, account, after, limit }: PartOptions): RawBuilder<unknown> {
  const [at, id] = [sql.ref(`t.${source.time}`), sql.ref(`t.${source.id.column}`)];
  const ids = source.staysWithGuest ? [account.id, ...account.guestIds] : [account.id];
  const owner = sql.ref(`t.${source.owner}`);
  return sql`(
    select ${sql.lit(rank)} as rank, ${positionTime(at)} as at, ${id}::text as id, jsonb_build_object(${source.data}) as data,
      row_number() over (order by ${at} desc, ${id} desc) as place
    from (
      select t.*
      from unnest(${ids}::uuid[]) o (id)
      cross join lateral (
        select * from ${sql.table(source.table)} t
        where ${owner} >= o.id and ${owner} is not null and ${before(source, rank, after)}
        order by ${owner} desc, ${at} desc, ${id} desc
        limit ${limit}
      ) t
      order by ${at} desc, ${id} desc
      limit ${limit}
    ) t
  )`;
}

/** Of rows of the same time, those of an earlier source come first. */
function before(source: TimelineSource, rank: number, after: After | null): RawBuilder<boolean> {
  const [owner, at, id] = [source.owner, source.time, source.id.column].map((name) => sql.ref(`t.${name}`));
  if (after === null) return sql`${owner} <= o.id`;
  if (rank < after.rank) return sql`(${owner}, ${at}) < (o.id, ${after.at}::timestamptz)`;
  if (rank > after.rank) return sql`(${owner}, ${at}) <= (o.id, ${after.at}::timestamptz)`;
  const end = sql`${after.at}::timestamptz, ${after.id}::text::${sql.raw(source.id.type)}`;
  return sql`(${owner}, ${at}, ${id}) < (o.id, ${end})`;
}

function eventOf({ source, at, data }: Found): TimelineEvent {
  return { at: at.replace(/\d{3}Z$/, 'Z'), kind: source.kind, summary: source.summary(data), data: withTimes(data) };
}

/** Times inside jsonb are written as PostgreSQL does. */
function withTimes(data: TimelineData): TimelineData {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      name.endsWith('_at') && typeof value === 'string' ? new Date(value).toISOString() : value,
    ]),
  );
}
