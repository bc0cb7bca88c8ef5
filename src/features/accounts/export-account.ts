import type { Context } from '../context.ts';

type Row = Record<string, unknown>;
type ExportContext = Pick<Context, 'clock' | 'db'>;

/** Rows in memory at once. */
const PAGE_ROWS = 500;

/**
 * Writes everything that the account has as one JSON document, in pieces: profile, jobs, transactions, purchases, uploads and
 * sessions; also what merged guests have brought. Throws before the last brace if the account was merged or deleted meanwhile:
 * the document would be a part of what it had.
 */
export async function* exportAccount(ctx: ExportContext, userId: string): AsyncGenerator<string> {
  const ids = await idsOf(ctx, userId);
  yield `{"exported_at":${JSON.stringify(ctx.clock.now())},"user":${JSON.stringify(await profileOf(ctx, userId))}`;
  yield* list('jobs', [(after) => jobsAfter(ctx, userId, after)]);
  yield* list(
    'transactions',
    ids.map((id) => (after: Key) => transactionsAfter(ctx, id, after)),
  );
  yield* list('purchases', [(after) => purchasesAfter(ctx, userId, after)]);
  yield* list('uploads', [(after) => uploadsAfter(ctx, userId, after)]);
  yield* list('sessions', [(after) => sessionsAfter(ctx, userId, after)]);
  if ((await idsOf(ctx, userId)).length !== ids.length) throw new Error('a guest was merged during the export');
  yield '}\n';
}

/** All ids that address the account; guests are only ever added. Throws if it is deleted, or was merged into another. */
async function idsOf({ db }: ExportContext, userId: string): Promise<string[]> {
  const rows = await db.read
    .selectFrom('users')
    .leftJoin('merged_users', 'merged_users.survivor_id', 'users.id')
    .select('merged_users.user_id as guest_id')
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .orderBy('merged_users.merged_at')
    .execute();
  if (rows.length === 0) throw new Error('the account is gone');
  return [...rows.flatMap(({ guest_id }) => guest_id ?? []), userId];
}

/** The last row's; null before the first page. */
type Key = string | null;
/** Returns the rows after a key; each row has its own as `key`. */
type Read = (after: Key) => Promise<Row[]>;

/** One field with a list, read page by page from one source after the other. */
async function* list(name: string, sources: Read[]): AsyncGenerator<string> {
  yield `,${JSON.stringify(name)}:[`;
  let isFirst = true;
  for (const read of sources) {
    for await (const rows of pages(read)) {
      const texts = rows.map(({ key: _, ...row }) => JSON.stringify(row));
      yield `${isFirst ? '' : ','}${texts.join(',')}`;
      isFirst = false;
    }
  }
  yield ']';
}

async function* pages(read: Read): AsyncGenerator<Row[]> {
  for (let after: Key = null; ; ) {
    const rows = await read(after);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE_ROWS) return;
    after = String(rows.at(-1)?.key);
  }
}

function profileOf({ db }: ExportContext, userId: string): Promise<Row | undefined> {
  return db.read
    .selectFrom('users')
    .leftJoin('user_metadata', 'user_metadata.user_id', 'users.id')
    .select(['id', 'email', 'device_id', 'apple_sub', 'is_guest', 'tier', 'credits_remaining', 'credits_total'])
    .select(['initial_grant_claimed', 'language', 'theme_preference', 'created_at', 'updated_at'])
    .select('user_metadata.data as user_metadata')
    .where('id', '=', userId)
    .executeTakeFirst();
}

function purchasesAfter({ db }: ExportContext, userId: string, after: Key): Promise<Row[]> {
  return db.read
    .selectFrom('purchases')
    .select(['seq as key', 'id', 'store', 'environment', 'transaction_id', 'product_id', 'quantity', 'credits'])
    .select(['taken_back', 'price_milliunits', 'currency', 'purchased_at', 'created_at'])
    .where('user_id', '=', userId)
    .where('seq', '>', Number(after ?? 0))
    .orderBy('seq')
    .limit(PAGE_ROWS)
    .execute();
}

/**
 * Deleted ones too: what is still kept about them belongs to the account. Both kinds in one statement, so that a job that is
 * deleted meanwhile is in the document once; each has an index of its own.
 */
function jobsAfter({ db }: ExportContext, userId: string, after: Key): Promise<Row[]> {
  const half = (isDeleted: boolean) =>
    db.read
      .selectFrom('video_jobs')
      .select([
        'seq as key',
        'job_id',
        'model_id',
        'model_name',
        'provider',
        'prompt',
        'settings',
        'image_url',
        'status',
      ])
      .select(['video_url', 'thumbnail_url', 'credits_used', 'error_code', 'created_at', 'completed_at', 'deleted_at'])
      .where('user_id', '=', userId)
      .where('deleted_at', isDeleted ? 'is not' : 'is', null)
      .where('seq', '>', Number(after ?? 0))
      .orderBy('seq')
      .limit(PAGE_ROWS);
  return db.read
    .selectFrom(
      db.read
        .selectFrom(half(false).as('living'))
        .selectAll()
        .unionAll(db.read.selectFrom(half(true).as('deleted')).selectAll())
        .as('job'),
    )
    .selectAll()
    .orderBy('key')
    .limit(PAGE_ROWS)
    .execute();
}

function transactionsAfter({ db }: ExportContext, userId: string, after: Key): Promise<Row[]> {
  return db.read
    .selectFrom('quota_log')
    .select(['seq as key', 'id', 'user_id', 'change', 'reason', 'balance_after', 'job_id', 'created_at'])
    .where('user_id', '=', userId)
    .where('seq', '>', Number(after ?? 0))
    .orderBy('seq')
    .limit(PAGE_ROWS)
    .execute();
}

function uploadsAfter({ db }: ExportContext, userId: string, after: Key): Promise<Row[]> {
  return db.read
    .selectFrom('uploads')
    .select(['path as key', 'id', 'path', 'content_type', 'bytes', 'width', 'height', 'metadata'])
    .select(['created_at', 'updated_at'])
    .where('user_id', '=', userId)
    .where('stored_at', 'is not', null)
    .where('path', '>', after ?? '')
    .orderBy('path')
    .limit(PAGE_ROWS)
    .execute();
}

function sessionsAfter({ db }: ExportContext, userId: string, after: Key): Promise<Row[]> {
  return db.read
    .selectFrom('sessions')
    .select(['id as key', 'id', 'created_at', 'refreshed_at', 'expires_at', 'revoked_at'])
    .where('user_id', '=', userId)
    .$if(after !== null, (sessions) => sessions.where('id', '>', after ?? ''))
    .orderBy('id')
    .limit(PAGE_ROWS)
    .execute();
}
