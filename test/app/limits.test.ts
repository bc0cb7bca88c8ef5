/** What operators limit and see: a pause, a day's spending, refused work, and the errors of requests and jobs. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, describe, it } from 'node:test';
import type { Overload } from '../../src/kernel/overload.ts';
import { until } from '../media/until.ts';
import { newAdministrator } from '../support/administrators.ts';
import { createPeople, newSub, type Person } from '../support/people.ts';

const CAP = 3;
/** Of one IP address, without an account: sixty in progress and four hundred in line. */
const PUBLIC_ADMITTED = 460;
const DAY_SECONDS = 86_400;

let overload: Overload | null = null;
const people = await createPeople({
  env: { DAILY_SPEND_CAP_CREDITS: String(CAP) },
  overrides: { readOverload: () => overload },
});
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

type ErrorRow = {
  user_id: string | null;
  error_code: string;
  endpoint: string;
  request_data: object | null;
  error_details: Record<string, unknown> | null;
};

async function errorsOf(requestId: string): Promise<ErrorRow[]> {
  await app.ctx.errorLog.drain();
  const { rows } = await app.owner.query<ErrorRow>(
    `select user_id, error_code, endpoint, request_data, error_details from error_log where error_details ->> 'request_id' = $1`,
    [requestId],
  );
  return rows;
}

/** As if the account's ledger were so much older. */
async function age(userId: string, hours: number): Promise<void> {
  await app.owner.query(`begin; set local session_replication_role = replica;
    update quota_log set created_at = created_at - interval '${hours} hours' where user_id = '${userId}'; commit`);
}

const spend = async (person: Person, times: number) => {
  for (let count = 0; count < times; count += 1) assert.equal((await people.generate(person.token)).status, 200);
};

describe('a pause', () => {
  afterEach(() => app.owner.query('update settings set is_paused = false'));

  it('stops the sale of videos and charges nothing; replays, running videos and other calls go on', async () => {
    const [administrator, guest] = [await newAdministrator(app), await people.guest()];
    const key = randomUUID();
    const paid = await people.generate(guest.token, {}, key);
    const body = { is_paused: true, reason: 'The provider bills twice.' };
    const paused = await administrator.call('admin-pause', body, { 'Idempotency-Key': randomUUID() });
    assert.deepEqual([paused.status, paused.body], [200, { success: true }]);

    const refused = await people.call(
      guest.token,
      'generate-video',
      { model_id: await modelId(), prompt: 'a cat playing piano' },
      { 'Idempotency-Key': randomUUID(), 'Accept-Language': 'tr' },
    );
    assert.deepEqual([refused.status, refused.headers.get('Retry-After')], [503, '60']);
    assert.equal(refused.body.error.code, 'ERR_4019');
    assert.match(refused.body.error.message, /Sizden ücret alınmadı\. Lütfen 60 saniye sonra/);
    const replayed = await people.generate(guest.token, {}, key);
    assert.deepEqual([replayed.status, replayed.body], [200, paid.body]);
    assert.equal(replayed.headers.get('X-Idempotent-Replay'), 'true');
    assert.equal(await app.balance(guest.id), 9);
    assert.equal((await people.call(guest.token, 'get-models')).status, 200);
    await app.drain();
    assert.equal((await app.job(paid.body.job_id)).status, 'completed');

    assert.equal((await administrator.call('admin-pause', { ...body, is_paused: false })).status, 200);
    assert.equal((await people.generate(guest.token)).status, 200);
  });

  it('is written down with who wanted it and why, once for each key, and is no user’s to decide', async () => {
    const [administrator, guest] = [await newAdministrator(app), await people.guest()];
    const [body, key] = [{ is_paused: true, reason: 'A test.' }, { 'Idempotency-Key': randomUUID() }];
    for (const isReplay of [null, 'true']) {
      const answer = await administrator.call('admin-pause', body, key);
      assert.deepEqual([answer.status, answer.headers.get('X-Idempotent-Replay')], [200, isReplay]);
    }
    const other = await administrator.call('admin-pause', { ...body, is_paused: false }, key);
    assert.deepEqual([other.status, other.body.error.code], [422, 'ERR_4009']);
    const rows = await people.rows(
      'select action_type, reason, session_id from admin_actions where admin_user_id = $1',
      [administrator.id],
    );
    assert.deepEqual(rows, [{ action_type: 'pause', reason: 'A test.', session_id: administrator.sessionId }]);
    assert.equal((await people.call(guest.token, 'admin-pause', { ...body, is_paused: false })).status, 403);
    for (const wrong of [{ reason: 'A test.' }, { is_paused: 'no', reason: 'A test.' }, { is_paused: false }])
      assert.equal((await administrator.call('admin-pause', wrong)).status, 400);
    assert.deepEqual(await people.rows('select is_paused from settings'), [{ is_paused: true }]);
  });
});

async function modelId(): Promise<unknown> {
  return (await people.rows(`select id from models where name = 'Sandbox'`))[0]?.id;
}

describe('the cap of a day’s spending', () => {
  it('refuses what goes beyond it, never a replay; refunds and time make room', async () => {
    const guest = await people.guest();
    const key = randomUUID();
    const first = await people.generate(guest.token, {}, key);
    await age(guest.id, 23);
    await spend(guest, CAP - 1);
    const refused = await people.generate(guest.token);
    assert.deepEqual([refused.status, refused.body.error.code], [429, 'ERR_4004']);
    const { reason, retry_after: retryAfter } = refused.body.error.details;
    assert.equal(reason, 'daily_spend');
    assert.match(refused.body.error.message, /limit of credits for one day.* 1 hour\./);
    assert.ok(retryAfter > 3_500 && retryAfter <= 3_600, `${retryAfter}`);
    assert.equal(refused.headers.get('Retry-After'), String(retryAfter));
    assert.equal(refused.headers.get('RateLimit-Policy'), `"daily_spend";q=${CAP};w=${DAY_SECONDS}`);
    assert.equal((await people.generate(guest.token, {}, key)).status, 200);

    await age(guest.id, 1);
    assert.equal((await people.generate(guest.token)).status, 200, 'the first is a day old');
    assert.equal((await people.generate(guest.token)).status, 429);
    const [last] = await people.rows('select job_id from video_jobs where user_id = $1 order by seq desc limit 1', [
      guest.id,
    ]);
    assert.equal((await people.call(guest.token, 'cancel-video-job', { job_id: last?.job_id })).status, 200);
    assert.equal((await people.generate(guest.token)).status, 200, 'the last was refunded');
    assert.equal((await people.call(guest.token, 'cancel-video-job', { job_id: first.body.job_id })).status, 200);
    assert.equal((await people.generate(guest.token)).status, 429, 'the refund of an old charge makes no room');
  });

  it('counts what guests spent before they were merged', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub, 10), await people.guest()];
    await spend(guest, CAP);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await people.generate(survivor.token)).status, 429);
  });

  it('sees a charge of the day behind any number of later rows', async () => {
    const guest = await people.guest(CAP);
    await spend(guest, CAP);
    const move = `select count(add_credits($1, 1, 'admin_refund')) from generate_series(1, 70)`;
    await app.owner.query(move, [guest.id]);
    assert.equal((await people.generate(guest.token)).status, 429);
    await age(guest.id, 24);
    assert.equal((await people.generate(guest.token)).status, 200);
  });

  it('says that credits are missing where they are, and counts no charge of another reason', async () => {
    const guest = await people.guest(CAP);
    await spend(guest, CAP);
    assert.equal((await people.generate(guest.token)).status, 402);
    const rich = await people.guest(10);
    await app.owner.query(`select deduct_credits($1, 5, 'admin_adjustment')`, [rich.id]);
    await spend(rich, CAP);
  });
});

describe('a process with too much work', () => {
  afterEach(() => {
    overload = null;
  });

  it('refuses new work at once with 503, and still answers health checks and vendors', async () => {
    const guest = await people.guest();
    for (const kind of ['database', 'memory', 'event loop'] as const) {
      overload = kind;
      for (const path of ['get-models', 'get-user-credits']) {
        const refused = await people.call(guest.token, path);
        const retryAfter = Number(refused.headers.get('Retry-After'));
        assert.equal(refused.status, 503);
        assert.ok(retryAfter >= 2 && retryAfter <= 5, `${retryAfter}`);
        assert.deepEqual(refused.body.error.details, { reason: 'busy', retry_after: retryAfter });
        assert.match(refused.body.error.message, /very busy/);
      }
    }
    assert.equal((await people.generate(guest.token)).status, 503);
    assert.equal(await app.balance(guest.id), 10);
    for (const path of ['/healthz', '/readyz']) assert.equal((await app.fetch(path)).status, 200, path);
    const webhook = await app.fetch('/functions/v1/webhook-delivery', { method: 'POST', body: '{}' });
    assert.notEqual(webhook.status, 503);
  });
});

describe('callers without an account', () => {
  it('have sixty calls of an IP address in progress; the line is bounded, and others do not wait in it', async () => {
    const guest = await people.guest();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    // A body that does not end, as of a sender who wants to hold the server's memory.
    const slowBody = () =>
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await released;
          controller.close();
        },
      });
    const statuses: number[] = [];
    const calls = Array.from({ length: PUBLIC_ADMITTED + 5 }, async () => {
      const init = { method: 'POST', body: slowBody(), duplex: 'half' } as RequestInit;
      const response = await app.fetch('/functions/v1/webhook-delivery', init);
      statuses.push(response.status);
      if (response.status === 503) assert.equal(response.headers.get('Retry-After'), '1');
    });
    await until(() => statuses.length >= 5);
    assert.deepEqual(statuses, [503, 503, 503, 503, 503]);
    assert.equal((await app.fetch('/healthz')).status, 200);
    assert.equal((await people.call(guest.token, 'get-user-credits')).status, 200);
    release();
    await Promise.all(calls);
    assert.equal(statuses.filter((code) => code !== 503).length, PUBLIC_ADMITTED);
    assert.equal((await app.fetch('/functions/v1/get-models')).status, 200);
  });
});

describe('the error log', () => {
  it('has a row for a 5xx: code, route, account and request, and the classes and codes of its causes alone', async () => {
    const guest = await people.guest();
    const id = `request-${randomUUID()}`;
    await app.owner.query('alter table products rename to products_away');
    try {
      const failed = await people.call(guest.token, `get-products?x=a-private-value`, undefined, {
        'X-Request-Id': id,
      });
      assert.equal(failed.status, 500);
    } finally {
      await app.owner.query('alter table products_away rename to products');
    }
    assert.deepEqual(await errorsOf(id), [
      {
        user_id: guest.id,
        error_code: 'ERR_6003',
        endpoint: '/functions/v1/get-products',
        request_data: { method: 'GET' },
        error_details: { request_id: id, status: 500, causes: [{ name: 'error', code: '42P01' }] },
      },
    ]);
  });

  it('has one for a 503, and none for a 4xx', async () => {
    const guest = await people.guest();
    overload = 'memory';
    const [busy, refused] = [`request-${randomUUID()}`, `request-${randomUUID()}`];
    assert.equal((await people.call(guest.token, 'get-models', undefined, { 'X-Request-Id': busy })).status, 503);
    overload = null;
    assert.equal(
      (await people.call('nonsense', 'get-user-credits', undefined, { 'X-Request-Id': refused })).status,
      401,
    );
    const [row, ...others] = await errorsOf(busy);
    assert.deepEqual([row?.error_code, row?.endpoint, others], ['ERR_6001', '/functions/v1/get-models', []]);
    assert.deepEqual(await errorsOf(refused), []);
  });

  it('has a row for a failed job with the id of the request that paid for it', async () => {
    const guest = await people.guest();
    const id = `request-${randomUUID()}`;
    app.vendor.script({ status: [{ state: 'failed', code: 'ERR_5003', cause: 'declined' }] });
    const begun = await people.call(
      guest.token,
      'generate-video',
      { model_id: await modelId(), prompt: 'a private prompt' },
      { 'Idempotency-Key': randomUUID(), 'X-Request-Id': id },
    );
    await app.drain();
    const job = await app.job(begun.body.job_id);
    assert.deepEqual([job.status, job.error_code], ['failed', 'ERR_5003']);
    const rows = await errorsOf(id);
    assert.equal(rows.length, 1);
    assert.deepEqual([rows[0]?.user_id, rows[0]?.error_code], [guest.id, 'ERR_5003']);
    assert.doesNotMatch(JSON.stringify(rows), /private/);
  });

  it('adds a repeated entry once, names the survivor of a merged guest, and no account that is gone', async () => {
    const sub = newSub();
    const [survivor, guest, gone] = [await people.appleUser(sub), await people.guest(), await people.guest()];
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await people.call(gone.token, 'delete-account', {})).status, 200);
    const ids = [guest.id, gone.id, randomUUID(), null];
    const entries = ids.map((user_id) => ({
      entry_id: randomUUID(),
      user_id,
      error_code: 'ERR_6003',
      endpoint: '/x',
      request_data: null,
      error_details: { request_id: 'four-accounts' },
      created_at: new Date().toISOString(),
    }));
    assert.equal(await app.ctx.db.call('log_errors', { entries }), 4);
    assert.equal(await app.ctx.db.call('log_errors', { entries }), 0);
    const rows = await errorsOf('four-accounts');
    assert.deepEqual(
      rows.map(({ user_id: userId }) => userId),
      [survivor.id, null, null, null],
    );
  });

  it('is kept as long as the operator says', async () => {
    await app.owner.query(
      `insert into error_log (error_code, created_at) select 'ERR_' || days, now() - make_interval(days => days)
       from unnest(array[6, 8, 89, 91]) days`,
    );
    const left = () =>
      people.rows(
        `select error_code from error_log where error_code in ('ERR_6', 'ERR_8', 'ERR_89', 'ERR_91') order by id`,
      );
    await app.ctx.db.call('prune_rows', { kind: 'errors' });
    assert.deepEqual(
      (await left()).map(({ error_code: code }) => code),
      ['ERR_6', 'ERR_8', 'ERR_89'],
    );
    await app.ctx.db.call('prune_rows', { kind: 'errors', error_log_days: 7 });
    assert.deepEqual(
      (await left()).map(({ error_code: code }) => code),
      ['ERR_6'],
    );
  });
});
