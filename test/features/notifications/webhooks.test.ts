/** Outgoing webhooks: recorded with what they tell of, sent until the receiver has them, and never in the way of anything else. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { storeSettings } from '../../../src/db/settings.ts';
import { alertMessage } from '../../../src/features/maintenance/worker/alert-message.ts';
import { createWebhookSender } from '../../../src/features/notifications/worker/send-webhooks.ts';
import { until } from '../../media/until.ts';
import { newAdministrator, type TestAdministrator } from '../../support/administrators.ts';
import type { TestApp } from '../../support/app.ts';
import { createPeople, newSub, type People } from '../../support/people.ts';
import { openWebhookInbox, type ReceivedWebhook, type WebhookInbox } from '../../support/webhook-inbox.ts';

const signal = new AbortController().signal;
const WAITS_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

type Row = {
  id: string;
  user_id: string;
  type: string;
  payload: Record<string, unknown>;
  state: string;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  next_attempt_at: Date | null;
  dueSeconds: number;
};

describe('outgoing webhooks', () => {
  let inbox: WebhookInbox;
  let people: People;
  let app: TestApp;
  let admin: TestAdministrator;
  let userId: string;
  before(async () => {
    inbox = await openWebhookInbox();
    people = await createPeople({ env: { OUTGOING_WEBHOOK_URL: inbox.url, OUTGOING_WEBHOOK_SECRET: inbox.secret } });
    app = people.app;
    admin = await newAdministrator(app);
    userId = await app.user(0);
  });
  after(async () => {
    await people.assertUnbroken();
    await people[Symbol.asyncDispose]();
    await inbox[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await app.owner.query(
      `truncate webhook_deliveries; truncate alerts; delete from graphile_worker._private_jobs;
       update settings set sends_webhooks = true, webhooks_held_until = null`,
    );
    inbox.reset();
  });

  const rows = async (where = 'true', values: unknown[] = []): Promise<Row[]> =>
    (
      await app.owner.query(
        `select *, extract(epoch from next_attempt_at - clock_timestamp())::float as "dueSeconds"
         from webhook_deliveries where ${where} order by seq`,
        values,
      )
    ).rows;
  const row = async (id: string): Promise<Row> => (await rows('id = $1', [id]))[0] as Row;
  const tasks = async () =>
    (await app.owner.query(`select count(*)::int as n from graphile_worker._private_jobs`)).rows[0].n as number;
  const schedule = async (count = 1): Promise<string[]> => {
    const sql = `select schedule_webhook($1, 'video.failed', jsonb_build_object('n', n)) from generate_series(1, $2) n`;
    const was = new Set((await rows()).map(({ id }) => id));
    await app.owner.query(sql, [userId, count]);
    return (await rows()).map(({ id }) => id).filter((id) => !was.has(id));
  };
  const scheduleOne = async () => (await schedule())[0] as string;
  const letTimePass = (seconds: number) =>
    app.owner.query(
      `update webhook_deliveries set next_attempt_at = next_attempt_at - make_interval(secs => $1) where state = 'pending'`,
      [seconds],
    );
  const sendDue = () => createWebhookSender(app.ctx)(signal);
  const types = () => inbox.requests.map(({ body }) => body.type);
  const status = (code: number, headers = {}) => {
    inbox.answer = (response) => response.writeHead(code, headers).end();
  };
  const replay = (id: string, headers = {}) =>
    admin.call('admin-replay-delivery', { delivery_id: id, reason: 'The receiver was down.' }, headers);
  const titleOf = (subject: string) => alertMessage({ kind: 'outgoing_webhook', subject, details: {} }).title;
  const alerts = async () =>
    (await app.owner.query('select subject, details from alerts order by created_at')).rows as Record<
      string,
      unknown
    >[];

  it('tell of a generation, its charge and its end, signed, by ids and numbers alone', async () => {
    const guest = await people.guest(10);
    await app.drain();
    inbox.reset();
    const { body } = await people.generate(guest.token, { prompt: 'MARKER of a prompt' });
    await app.drain();
    const [charged, completed] = inbox.requests as [ReceivedWebhook, ReceivedWebhook];
    assert.deepEqual([types(), inbox.forged], [['credits.changed', 'video.completed'], []]);
    const [ledger] = await people.rows(`select id, seq from quota_log where job_id = $1`, [body.job_id]);
    assert.deepEqual(charged.body.data, {
      ...{ user_id: guest.id, job_id: body.job_id, purchase_id: null, ledger_id: ledger?.id, seq: Number(ledger?.seq) },
      ...{ change: -1, credits_remaining: 9, reason: 'video_generation' },
    });
    const { video_path, thumbnail_path, model_id, ...rest } = completed.body.data;
    assert.match(video_path, new RegExp(`^videos/${guest.id}/[0-9-]{7}/${body.job_id}\\.mp4$`));
    assert.match(thumbnail_path, new RegExp(`^thumbnails/${guest.id}/.*\\.jpg$`));
    assert.match(model_id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      ...{ user_id: guest.id, job_id: body.job_id, credits_used: 1, video_seconds: 5 },
      video_bytes: rest.video_bytes,
    });
    assert.match(completed.body.timestamp, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
    assert.deepEqual(Object.keys(completed.body), ['type', 'timestamp', 'data']);
    const kept = JSON.stringify(await rows()) + inbox.requests.map(({ text }) => text).join();
    const { device_id } = (await people.rows('select device_id from users where id = $1', [guest.id]))[0] ?? {};
    for (const secret of ['MARKER', String(device_id), 'token=']) assert.ok(!kept.includes(secret), secret);
  });

  it('tell of failures, purchases, refunds, merges and deletions, and leave no person in them', async () => {
    const [sub, email] = [newSub(), `${randomUUID()}@example.com`];
    const [survivor, guest] = [await people.appleUser(sub, 0, { email }), await people.guest(3)];
    const jobId = await app.generate(guest.id);
    await app.ctx.db.call('fail_generation', { job_id: jobId, error_code: 'ERR_5001', cause: 'MARKER of a cause' });
    const transaction = randomUUID();
    await app.ctx.db.call('credit_purchase', {
      ...{ store: 'apple', environment: 'Sandbox', transaction_id: transaction, product_id: 'com.rendio.credits.10' },
      ...{ quantity: 1, caller_id: guest.id },
    });
    const decide = (isRefund: boolean, minutes: number) =>
      app.ctx.db.call('refund_purchase', {
        ...{ store: 'apple', environment: 'Sandbox', transaction_id: transaction, is_refund: isRefund },
        ...{ decided_at: new Date(Date.now() + minutes * 60_000), percentage: 50_000 },
      });
    await decide(true, 0);
    await decide(false, 1);
    await people.merge(guest.token, { sub });
    assert.equal((await people.call(survivor.token, 'delete-account', {})).status, 200);
    await app.drain();

    assert.deepEqual(inbox.forged, []);
    const dataOf = (type: string) =>
      inbox.requests.filter(({ body }) => body.type === type).map(({ body }) => body.data);
    assert.deepEqual(dataOf('video.failed')[0].error_code, 'ERR_5001');
    assert.deepEqual(dataOf('video.failed')[0].credits_refunded, 1);
    assert.deepEqual(
      dataOf('purchase.completed').map(({ transaction_id, credits }) => [transaction_id, credits]),
      [[transaction, 10]],
    );
    // The reversal is a change of the balance alone.
    assert.deepEqual(
      dataOf('purchase.refunded').map(({ credits_taken_back }) => credits_taken_back),
      [5],
    );
    assert.deepEqual(dataOf('account.merged'), [{ user_id: survivor.id, merged_user_id: guest.id }]);
    assert.deepEqual(dataOf('account.deleted'), [{ user_id: survivor.id, merged_user_ids: [guest.id] }]);
    // Whatever the order of their arrival, the events are the ledger.
    const changes = dataOf('credits.changed').sort((a, b) => a.seq - b.seq);
    const ledger = await people.rows(
      `select seq, user_id, change, balance_after, reason from quota_log where user_id = any ($1) order by seq`,
      [[survivor.id, guest.id]],
    );
    assert.deepEqual(
      changes.map((each) => [each.seq, each.user_id, each.change, each.credits_remaining, each.reason]),
      ledger.map((each) => [Number(each.seq), each.user_id, each.change, each.balance_after, each.reason]),
    );
    assert.ok(changes.some(({ reason, purchase_id }) => reason === 'apple_refund_reversed' && purchase_id));
    const all = JSON.stringify([await rows(), inbox.requests.map(({ text }) => text)]);
    for (const secret of ['MARKER', sub, email]) assert.ok(!all.includes(secret), secret);
    assert.ok(
      (await rows()).every(({ user_id }) => user_id === survivor.id),
      'the survivor has the guest’s',
    );
  });

  it('of a deleted account that the receiver has not yet are still sent, and name the guest that was merged', async () => {
    status(503);
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest(2)];
    await app.drain();
    await people.merge(guest.token, { sub });
    await people.call(survivor.token, 'delete-account', {});
    await app.drain();
    inbox.reset();
    await letTimePass(10);
    await sendDue();
    assert.ok(inbox.requests.some(({ body }) => body.type === 'credits.changed' && body.data.user_id === guest.id));
    assert.ok(types().includes('account.deleted'));
    assert.deepEqual(await rows(`state <> 'delivered'`), []);
  });

  it('leave no row and no task when what they tell of does not happen, or when they are off', async () => {
    const guest = await people.guest(0);
    await app.drain();
    const before = (await rows()).length;
    assert.equal((await people.generate(guest.token)).status, 402);
    await app.owner.query(`begin; select add_credits('${guest.id}', 5, 'admin_adjustment'); rollback`);
    assert.deepEqual([(await rows()).length, await tasks()], [before, 0]);

    await storeSettings(app.url, { sendsWebhooks: false }, { isStart: true });
    await app.user(10);
    await app.owner.query(`select schedule_webhook($1, 'video.failed', '{}')`, [userId]);
    assert.deepEqual([(await rows()).length, await tasks()], [before, 0]);
    const off = createWebhookSender({ ...app.ctx, webhookReceiver: null, db: null as never });
    await off(signal);
  });

  it('are tried eight times with growing waits and one id, then have failed, with an alert', async () => {
    status(500);
    const id = await scheduleOne();
    for (const [index, wait] of WAITS_SECONDS.entries()) {
      await sendDue();
      const { state, attempts, last_status, dueSeconds } = await row(id);
      assert.deepEqual([state, attempts, last_status], ['pending', index + 1, 500]);
      assert.ok(dueSeconds > wait - 2 && dueSeconds <= wait * 1.1, `${dueSeconds} s after attempt ${index + 1}`);
      // Not a moment before.
      await sendDue();
      assert.equal(inbox.requests.length, index + 1);
      await letTimePass(dueSeconds);
    }
    await sendDue();
    const { state, attempts, next_attempt_at } = await row(id);
    assert.deepEqual([state, attempts, next_attempt_at], ['failed', 8, null]);
    await sendDue();
    assert.deepEqual([new Set(inbox.requests.map((request) => request.id)), inbox.requests.length], [new Set([id]), 8]);
    assert.equal(new Set(inbox.requests.map(({ text }) => text)).size, 1, 'the same bytes each time');
    assert.match(titleOf('failed'), /could not be delivered/);
    assert.deepEqual(await alerts(), [
      { subject: 'failed', details: { delivery_id: id, type: 'video.failed', status: 500 } },
    ]);
  });

  it('have a task for each retry, so that a worker wakes for it', async () => {
    status(500);
    await scheduleOne();
    await app.drain();
    const { rows: waiting } = await app.owner.query(
      `select (extract(epoch from j.run_at - d.next_attempt_at) * 1000)::float as ms
       from graphile_worker._private_jobs j, webhook_deliveries d`,
    );
    assert.equal(waiting.length, 1);
    assert.ok(waiting[0].ms >= 0 && waiting[0].ms < 1_000, `${waiting[0].ms} ms after the delivery is due`);
  });

  for (const [what, answer, expected] of [
    ['a redirect', (r) => r.writeHead(302, { Location: inbox.url }).end(), [302, null]],
    ['a refusal', (r) => r.writeHead(400).end(), [400, null]],
    ['a cut connection', (r) => r.destroy(), [null, 'ECONNRESET']],
  ] satisfies [string, WebhookInbox['answer'], [number | null, string | null]][]) {
    it(`are tried again after ${what}`, async () => {
      inbox.answer = answer;
      const id = await scheduleOne();
      await sendDue();
      const { state, last_status, last_error } = await row(id);
      assert.deepEqual([state, last_status, last_error], ['pending', ...expected]);
      assert.equal(inbox.requests.length, 1);
      inbox.reset();
      await letTimePass(10);
      await sendDue();
      assert.deepEqual([(await row(id)).state, inbox.requests[0]?.id], ['delivered', id]);
    });
  }

  it('wait as long as the receiver asks, never less than otherwise, and never for more than ten hours', async () => {
    for (const [given, atLeast, atMost] of [
      ['60', 59, 67],
      ['1', 3, 6],
      ['99999999', 35_990, 39_601],
    ] as const) {
      status(503, { 'Retry-After': given });
      const id = await scheduleOne();
      await sendDue();
      const { dueSeconds } = await row(id);
      assert.ok(dueSeconds > atLeast && dueSeconds <= atMost, `${given}: ${dueSeconds}`);
    }
    status(500, { 'Retry-After': '60' });
    const last = await scheduleOne();
    await app.owner.query('update webhook_deliveries set attempts = 7 where id = $1', [last]);
    await sendDue();
    assert.equal((await row(last)).state, 'failed', 'a wish for later adds no attempt');
  });

  it('hold all others back for a while when the receiver has had too many, and go on by themselves', async () => {
    status(429, { 'Retry-After': '3600' });
    await scheduleOne();
    await sendDue();
    inbox.reset();
    const second = await scheduleOne();
    await sendDue();
    assert.equal(inbox.requests.length, 0);
    const { rows: held } = await app.owner.query(
      'select extract(epoch from webhooks_held_until - now())::float as s from settings',
    );
    assert.ok(held[0].s > 290 && held[0].s <= 300, `for five minutes at most: ${held[0].s}`);
    await app.owner.query('update settings set webhooks_held_until = now()');
    await sendDue();
    assert.deepEqual(
      inbox.requests.map(({ id }) => id),
      [second],
    );
  });

  it('stop after a 410, with an alert, until a server starts or one is replayed; none is lost', async () => {
    assert.match(titleOf('gone'), /have stopped/);
    for (const resume of ['start', 'replay']) {
      await app.owner.query('truncate alerts');
      status(410);
      const first = await scheduleOne();
      await sendDue();
      inbox.reset();
      const second = await scheduleOne();
      await letTimePass(100_000);
      await app.makeAllDue();
      await app.drain();
      assert.equal(inbox.requests.length, 0, 'nothing is sent');
      assert.deepEqual(await alerts(), [{ subject: 'gone', details: { delivery_id: first } }]);
      // An isolate starts every minute: that is no reason.
      await storeSettings(app.url, { sendsWebhooks: true }, { isStart: false });
      await sendDue();
      assert.equal(inbox.requests.length, 0);
      if (resume === 'start') await storeSettings(app.url, { sendsWebhooks: true }, { isStart: true });
      else assert.equal((await replay(second)).status, 200);
      await app.drain();
      assert.deepEqual(new Set(inbox.requests.map(({ id }) => id)), new Set([first, second]));
      assert.deepEqual(await rows(`state <> 'delivered'`), []);
    }
  });

  it('of a worker that died in the middle of an attempt are sent again by the same id', async () => {
    const id = await scheduleOne();
    const claimed = await app.ctx.db.rows('claim_webhooks', { limit: 10 });
    assert.deepEqual(
      claimed.map((each) => each.id),
      [id],
    );
    await sendDue();
    assert.equal(inbox.requests.length, 0, 'while the attempt may still run, no other begins');
    await letTimePass(31);
    await sendDue();
    assert.deepEqual([inbox.requests[0]?.id, (await row(id)).state], [id, 'delivered']);
    // The dead one's result comes late: it changes nothing.
    const late = { delivery_id: id, attempts: 0, status: 500 };
    assert.equal(await app.ctx.db.call('record_webhook_attempt', late), 'outdated');
    assert.equal((await row(id)).state, 'delivered');
    // Nor does it while a later attempt runs.
    await app.owner.query(
      `update webhook_deliveries set state = 'pending', attempts = 1, delivered_at = null, next_attempt_at = now()`,
    );
    assert.equal(await app.ctx.db.call('record_webhook_attempt', { ...late, status: 200 }), 'outdated');
    assert.equal((await row(id)).state, 'pending');
  });

  it('are not recorded as failed by a shutdown in the middle of an attempt', async () => {
    inbox.answer = () => {};
    const id = await scheduleOne();
    const stop = new AbortController();
    const sending = createWebhookSender(app.ctx)(stop.signal);
    await until(() => inbox.open() === 1);
    stop.abort();
    await sending;
    const { state, attempts, last_error } = await row(id);
    assert.deepEqual([state, attempts, last_error], ['pending', 0, null]);
  });

  it('take one slot of the worker and eight connections, however slow the receiver, and a new one need not wait', async () => {
    const unanswered: (() => void)[] = [];
    inbox.answer = (response) => unanswered.push(() => response.writeHead(204).end());
    await schedule(5);
    const send = createWebhookSender(app.ctx);
    const sending = send(signal);
    await until(() => inbox.open() === 5);
    const late = await scheduleOne();
    // A second task has ended before the first receives any answer.
    await send(signal);
    await until(() => inbox.requests.some(({ id }) => id === late));
    await schedule(20);
    await send(signal);
    await until(() => inbox.open() === 8);
    inbox.answer = (response) => response.writeHead(204).end();
    for (const answer of unanswered.splice(0)) answer();
    await sending;
    assert.deepEqual([inbox.requests.length, await rows(`state <> 'delivered'`)], [26, []]);
  });

  it('are sent once each by two workers at the same time', async () => {
    await schedule(30);
    await Promise.all([sendDue(), sendDue(), sendDue()]);
    assert.equal(new Set(inbox.requests.map(({ id }) => id)).size, 30);
    assert.equal(inbox.requests.length, 30);
  });

  describe('replayed', () => {
    it('keep their id and have all attempts again, whether they failed or were delivered', async () => {
      const id = await scheduleOne();
      await sendDue();
      const { status: code, body } = await replay(id);
      assert.deepEqual([code, body], [200, { success: true }]);
      status(500);
      await app.drain();
      assert.deepEqual(
        inbox.requests.map((request) => request.id),
        [id, id],
      );
      await app.owner.query(`update webhook_deliveries set state = 'failed', attempts = 8, next_attempt_at = null`);
      assert.equal((await replay(id)).status, 200);
      await app.drain();
      const { state, attempts } = await row(id);
      assert.deepEqual([state, attempts], ['pending', 1]);
      const actions = await people.rows(
        `select action_type, reason, target, details from admin_actions where target = $1 order by id`,
        [id],
      );
      assert.deepEqual(
        actions.map(({ action_type, reason, details }) => [action_type, reason, Object(details).state]),
        [
          ['delivery_replay', 'The receiver was down.', 'delivered'],
          ['delivery_replay', 'The receiver was down.', 'failed'],
        ],
      );
    });

    it('are sent once for a double click with one key', async () => {
      const id = await scheduleOne();
      await sendDue();
      const key = { 'Idempotency-Key': randomUUID() };
      const answers = await Promise.all([replay(id, key), replay(id, key)]);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [200, 200],
      );
      await app.drain();
      assert.equal((await replay(id, key)).headers.get('X-Idempotent-Replay'), 'true');
      await app.drain();
      assert.equal(inbox.requests.length, 2);
    });

    it('are 404 if there is no such delivery, 400 without a reason, 501 without a receiver, and 403 for users', async () => {
      const id = await scheduleOne();
      assert.equal((await replay(randomUUID())).status, 404);
      assert.equal((await admin.call('admin-replay-delivery', { delivery_id: id })).status, 400);
      assert.equal((await admin.call('admin-replay-delivery', { delivery_id: 'x', reason: 'because' })).status, 400);
      const guest = await people.guest(0);
      const asUser = await people.call(guest.token, 'admin-replay-delivery', { delivery_id: id, reason: 'because' });
      assert.equal(asUser.status, 403);
      await app.owner.query('update settings set sends_webhooks = false');
      const off = await replay(id);
      assert.deepEqual([off.status, off.body.error.code], [501, 'ERR_4017']);
      assert.deepEqual(await people.rows('select from admin_actions where target = $1', [id]), []);
    });
  });

  describe('listed for administrators', () => {
    const list = async (query = '') => (await admin.call(`admin-deliveries${query}`)).body;

    it('come newest first, page by page, by state, type and account', async () => {
      const [one, other] = [randomUUID(), randomUUID()];
      const scheduled = `select schedule_webhook(u, t, '{}') from unnest($1::uuid[]) u, unnest($2::text[]) t, generate_series(1, 3)`;
      await app.owner.query(scheduled, [
        [one, other],
        ['video.failed', 'credits.changed'],
      ]);
      await app.owner.query(
        `update webhook_deliveries set state = 'failed', next_attempt_at = null where user_id = $1`,
        [one],
      );
      const all = (await rows()).reverse();
      const expected = (keep: (row: Row) => boolean) => all.filter(keep).map(({ id }) => id);
      const found = async (query: string): Promise<string[]> => {
        const ids: string[] = [];
        let cursor = '';
        do {
          const page = await list(`?limit=2&${query}${cursor && `&cursor=${cursor}`}`);
          assert.ok(page.deliveries.length <= 2);
          ids.push(...page.deliveries.map(({ id }: Row) => id));
          cursor = page.next_cursor ?? '';
        } while (cursor);
        return ids;
      };
      assert.deepEqual(
        await found(''),
        expected(() => true),
      );
      assert.deepEqual(
        await found('state=failed'),
        expected(({ state }) => state === 'failed'),
      );
      assert.deepEqual(
        await found('type=video.failed'),
        expected(({ type }) => type === 'video.failed'),
      );
      assert.deepEqual(
        await found(`state=pending&type=credits.changed`),
        expected(({ state, type }) => state === 'pending' && type === 'credits.changed'),
      );
      assert.deepEqual(
        await found(`user_id=${one}`),
        expected(({ user_id }) => user_id === one),
      );
      assert.deepEqual(
        await found(`user_id=${other}&type=video.failed&state=pending`),
        expected(({ user_id, type }) => user_id === other && type === 'video.failed'),
      );
      const [newest] = (await list()).deliveries;
      assert.deepEqual(Object.keys(newest).sort(), [
        ...['attempts', 'created_at', 'data', 'delivered_at', 'id', 'last_attempt_at', 'last_error', 'last_status'],
        ...['next_attempt_at', 'state', 'type', 'user_id'],
      ]);
      for (const bad of ['?limit=0', '?limit=101', '?state=lost', '?type=x', '?cursor=!', '?user_id=1'])
        assert.equal((await admin.call(`admin-deliveries${bad}`)).status, 400, bad);
    });
  });
});
