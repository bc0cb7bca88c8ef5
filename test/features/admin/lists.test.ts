/** The lists of administrators: whole, in order, filtered, a page at a time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { encodeSeq } from '../../../src/kernel/list-cursor.ts';
import { buy, notify, type Query, readerOf } from '../../support/admin-reads.ts';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
const ada = await newAdministrator(app);
const { all, read, refused } = readerOf(ada);
const EMAIL = `planted.${randomUUID()}@example.com`;
const sub = newSub();
let survivor: Person;
let guest: Person;
let job: string;
let failed: string;
let transaction: string;
const REQUEST = `request-${randomUUID()}`;

before(async () => {
  survivor = await people.appleUser(sub, 5, { email: EMAIL });
  guest = await people.guest(5);
  job = await app.generate(guest.id);
  failed = await app.generate(survivor.id);
  await callAsOwner(app.owner, 'fail_generation', {
    job_id: failed,
    error_code: 'ERR_5003',
    cause: 'refused: a cat playing piano',
  });
  await app.drain();
  await app.owner.query(`select record_provider_event('fal', $1, '["sandbox"]', $2)`, [randomUUID(), job]);
  const guests = await buy(app, guest.id);
  await notify(app, guests);
  await ada.call('admin-refund-credits', { user_id: guest.id, amount: 1, reason: `${EMAIL} has asked.` });
  assert.equal((await people.merge(guest.token, { sub })).status, 200);
  assert.equal(await app.balance(survivor.id), 20);
  transaction = await buy(app, survivor.id);
  await notify(app, transaction);
  await ada.call('admin-refund-credits', { user_id: survivor.id, amount: 2, reason: 'The video was unusable.' });
  await callAsOwner(app.owner, 'create_code', { credits: 5, uses_max: 1, code: 'SUMMER2026' });
  await callAsOwner(app.owner, 'create_code', { credits: 7, uses_max: 1, code: 'WINTER2026' });
  await app.owner.query(
    `insert into error_log (user_id, error_code, endpoint, error_details)
     select $1, 'ERR_6001', 'get-video-jobs', jsonb_build_object('request_id', $2::text) from generate_series(1, 5)`,
    [survivor.id, REQUEST],
  );
});
after(() => people[Symbol.asyncDispose]());

/** Each list with its table, its order, and each filter with the condition that it stands for. */
type Filters = () => [query: Query, where: string][];
const LISTS: Record<string, { table: string; key: string; order: string; filters: Filters }> = {
  jobs: {
    table: 'video_jobs t',
    key: 'job_id',
    order: 'created_at desc, seq desc',
    filters: () => [
      [{ user_id: survivor.id }, `user_id = '${survivor.id}'`],
      [{ user_id: guest.id }, `user_id = '${survivor.id}'`],
      [{ status: 'failed' }, `status = 'failed'`],
      [{ status: 'completed' }, `status = 'completed'`],
      [{ provider: 'sandbox' }, `provider = 'sandbox'`],
      [{ error_code: 'ERR_5003', user_id: survivor.id }, `error_code = 'ERR_5003'`],
      [{ provider: 'none' }, 'false'],
    ],
  },
  transactions: {
    table: 'quota_log t',
    key: 'id',
    order: 'created_at desc, seq desc',
    filters: () => [
      [{ user_id: guest.id }, `user_id = '${guest.id}'`],
      [{ reason: 'video_generation' }, `reason = 'video_generation'`],
      [{ reason: 'account_merge', user_id: survivor.id }, `reason = 'account_merge' and user_id = '${survivor.id}'`],
      [{ job_id: failed }, `job_id = '${failed}'`],
      [{ transaction_id: transaction }, `transaction_id = '${transaction}'`],
    ],
  },
  purchases: {
    table: 'purchases t',
    key: 'id',
    order: 'created_at desc, seq desc',
    filters: () => [
      [{ user_id: guest.id }, `user_id = '${survivor.id}'`],
      [{ transaction_id: transaction }, `transaction_id = '${transaction}'`],
      [{ product_id: 'com.rendio.credits.10', store: 'apple' }, 'true'],
      [{ is_refunded: true }, 'is_refunded'],
      [{ is_refunded: false, environment: 'Production' }, 'not is_refunded'],
    ],
  },
  notifications: {
    table: 'store_notifications t',
    key: 'notification_id',
    order: 'received_at desc, seq desc',
    filters: () => [
      [{ type: 'REFUND' }, 'true'],
      [{ transaction_id: transaction }, `transaction_id = '${transaction}'`],
      [{ user_id: survivor.id, outcome: 'unchanged' }, `user_id = '${survivor.id}'`],
    ],
  },
  errors: {
    table: 'error_log t',
    key: 'id',
    order: 'created_at desc, id desc',
    filters: () => [
      [{ user_id: guest.id }, `user_id = '${survivor.id}'`],
      [{ error_code: 'ERR_6001' }, `error_code = 'ERR_6001'`],
      [{ request_id: REQUEST }, `error_code = 'ERR_6001'`],
      [{ endpoint: 'generation' }, `endpoint = 'generation'`],
    ],
  },
  actions: {
    table: 'admin_actions t',
    key: 'id',
    order: 'created_at desc, id desc',
    filters: () => [
      [{ target_user_id: guest.id }, `target_user_id = '${guest.id}'`],
      [{ admin_user_id: ada.id, action_type: 'credit_refund' }, `action_type = 'credit_refund'`],
    ],
  },
  models: {
    table: 'models t',
    key: 'id',
    order: 'created_at desc, id desc',
    filters: () => [
      [{ provider: 'fal', is_available: true }, `provider = 'fal' and is_available`],
      [{ requires_image: true }, 'requires_image'],
    ],
  },
  products: {
    table: 'products t',
    key: 'product_id',
    order: 'created_at desc, product_id desc',
    filters: () => [[{ is_active: true }, 'is_active']],
  },
  codes: {
    table: 'codes t',
    key: 'id',
    order: 'created_at desc, seq desc',
    filters: () => [
      [{ code: 'summer-2026' }, `code = 'SUMMER2026'`],
      [{ credits: 7 }, 'credits = 7'],
    ],
  },
};

describe('a list', () => {
  for (const [name, { table, key, order, filters }] of Object.entries(LISTS)) {
    it(`of ${name} has each row once, newest first, by each filter, although rows have the same time`, async () => {
      const time = order.split(' ')[0];
      // All of the same microsecond: only the id tells them apart.
      if (!['quota_log t', 'models t', 'products t'].includes(table)) {
        await app.owner.query(`update ${table} set ${time} = (select min(${time}) from ${table})`);
      }
      for (const [query, where] of [[{}, 'true'] as [Query, string], ...filters()]) {
        const rows = await people.rows(`select ${key} from ${table} where ${where} order by ${order}`);
        assert.ok(
          rows.length > 0 || where === 'false' || where === 'is_refunded',
          `${JSON.stringify(query)} finds something`,
        );
        const listed = await all(`admin-${name}`, name, query);
        assert.deepEqual(
          listed.map((row) => String(row[key])),
          rows.map((row) => String(row[key])),
          JSON.stringify(query),
        );
      }
    });
  }

  it('by its time has the rows of the days and instants that are asked for', async () => {
    const other = await app.generate(survivor.id);
    await app.owner.query(`update video_jobs set created_at = '2026-03-10T12:00:00.123456Z' where job_id = $1`, [
      other,
    ]);
    const jobs = async (query: Query) => (await all('admin-jobs', 'jobs', query)).map((row) => row.job_id);
    for (const query of [
      { from: '2026-03-10', to: '2026-03-10' },
      { from: '2026-03-10T12:00:00.123Z', to: '2026-03-10T12:00:00.123Z' },
      { from: '2026-03-10T14:00:00+02:00', to: '2026-03-10T14:00:01+02:00', provider: 'sandbox', error_code: '' },
    ]) {
      assert.deepEqual(await jobs(query), [other], JSON.stringify(query));
    }
    assert.deepEqual(await jobs({ from: '2026-03-11', to: '2026-03-12' }), []);
    assert.deepEqual(await refused('admin-jobs', { from: '2026-13-01' }), [400, 'ERR_4006', 'from']);
    assert.deepEqual(await refused('admin-jobs', { status: 'done' }), [400, 'ERR_4006', 'status']);
  });

  it('refuses a cursor that is none, of another list, or of other filters, and sizes beyond its bounds', async () => {
    const { next_cursor: cursor } = await read('admin-jobs', { limit: 1, provider: 'sandbox' });
    assert.equal((await read('admin-jobs', { limit: 100, provider: 'sandbox', cursor })).next_cursor, null);
    const forged = (...parts: unknown[]) => btoa(JSON.stringify([JSON.parse(atob(cursor))[0], ...parts]));
    for (const [path, query] of [
      ['admin-jobs', { cursor }],
      ['admin-jobs', { provider: 'sandbox', status: 'failed', cursor }],
      ['admin-transactions', { cursor }],
      ['admin-jobs', { provider: 'sandbox', cursor: `${cursor}x` }],
      ['admin-jobs', { provider: 'sandbox', cursor: forged('2026-02-30T00:00:00.000000Z', '1') }],
      ['admin-jobs', { provider: 'sandbox', cursor: forged('2026-02-03T00:00:00.000000Z', '1; select') }],
      ['admin-jobs', { provider: 'sandbox', cursor: forged('2026-02-03T00:00:00.000000Z', '9'.repeat(30)) }],
      ['admin-jobs', { provider: 'sandbox', cursor: forged(null, null) }],
      ['admin-user-timeline', { user_id: survivor.id, cursor }],
    ] as [string, Query][]) {
      assert.deepEqual(await refused(path, query), [400, 'ERR_4006', 'cursor'], `${path} ${JSON.stringify(query)}`);
    }
    for (const limit of [0, 101, -1, 1.5]) {
      assert.deepEqual(await refused('admin-codes', { limit }), [400, 'ERR_4006', 'limit']);
    }
  });

  it('compares a bounded number of rows for a filter without an index, and goes on behind them', async () => {
    await app.owner.query(
      `insert into error_log (error_code, endpoint, created_at)
       select 'ERR_6003', case n when 1 then 'rare' else 'common' end, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second'
       from generate_series(1, 1200) n`,
    );
    const pages = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await read('admin-errors', { endpoint: 'rare', cursor });
      pages.push(page.errors.length);
      cursor = page.next_cursor;
    }
    assert.deepEqual(pages, [0, 0, 1]);
  });
});

describe('a cursor of deliveries and of reports', () => {
  for (const list of ['deliveries', 'reports']) {
    it(`of ${list} is 400 where it is of another list, of other filters, or none`, async () => {
      const ofOther = await encodeSeq(list === 'reports' ? 'deliveries' : 'reports', {}, 5);
      const ofFilters = await encodeSeq(list, { user_id: guest.id }, 5);
      for (const cursor of [ofOther, ofFilters, btoa('5'), 'nonsense']) {
        const { status, body } = await ada.call(`admin-${list}?cursor=${encodeURIComponent(cursor)}`);
        assert.deepEqual([status, body.error?.details.field], [400, 'cursor'], cursor);
      }
      const own = await encodeSeq(list, {}, 5);
      assert.equal((await ada.call(`admin-${list}?cursor=${encodeURIComponent(own)}`)).status, 200);
    });
  }
});
