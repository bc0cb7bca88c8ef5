/** Alerts: one for each cause and hour, sent once to each receiver, and never in the way of a user. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { allTasks } from '../../../src/app/tasks.ts';
import { type AlertInbox, openAlertInbox } from '../../support/alert-inbox.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { openShop } from '../purchases/shop.ts';

const signal = new AbortController().signal;
const BALANCE_RULE = 'a balance equals the sum of its ledger rows';

/** Sends to both receivers, which are one server: the path tells them apart. */
const envFor = (url: string) => ({
  ALERT_WEBHOOK_URL: `${url}/hook`,
  TELEGRAM_API_URL: url,
  TELEGRAM_BOT_TOKEN: '123:abc',
  TELEGRAM_CHAT_ID: '-100',
});

describe('alerts', () => {
  let inbox: AlertInbox;
  let app: TestApp;
  before(async () => {
    inbox = await openAlertInbox();
    app = await createTestApp({ env: envFor(inbox.url) });
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    await inbox[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    inbox.reset();
    await app.owner.query('truncate alerts; truncate money_violations; delete from graphile_worker._private_jobs');
  });

  const run = (task: string) => allTasks(app.ctx)[task]?.({}, { signal, attempt: 1 });
  const hooks = () => inbox.requests.filter(({ path }) => path === '/hook').map(({ body }) => Object(body));
  const chats = () => inbox.requests.filter(({ path }) => path.startsWith('/bot'));
  const broken = async (): Promise<Record<string, number>> => {
    const text = (await app.ctx.exportMetrics?.())?.text ?? '';
    const lines = text.matchAll(/^rendio_money_invariant_broken\{invariant="([^"]+)"\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, rule, count]) => [rule, Number(count)]));
  };
  const setBalance = (userId: string, credits: number) =>
    app.owner.query(
      `begin; set local session_replication_role = replica;
       update users set credits_remaining = ${credits} where id = '${userId}'; commit`,
    );
  /** So that the next alert belongs to another hour. */
  const letAnHourPass = () => app.owner.query(`update alerts set hour = hour - interval '1 hour'`);

  it('a broken rule of the money is a series of its metric and one alert; both are gone after the repair', async () => {
    const rules = (await app.ctx.db.rows('money_rules', {})).map(({ rule }) => rule);
    assert.deepEqual(await broken(), Object.fromEntries(rules.map((rule) => [rule, 0])), 'a series for each rule');
    const userId = await app.user(10);
    await setBalance(userId, 11);
    for (let check = 0; check < 3; check += 1) await run('reconcile');
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([hooks().length, chats().length], [1, 1]);
    const [{ kind, title, text }] = hooks();
    assert.equal(kind, 'money_invariant');
    assert.equal(title, 'Rules of the money are broken: 2 violations');
    assert.match(text, new RegExp(`^- ${BALANCE_RULE}: 1$`, 'm'));
    assert.match(text, new RegExp(`npm run admin -- explain-balance ${userId}`));
    assert.match(text, /npm run admin -- audit/);
    assert.doesNotMatch(text, /\b11\b/, 'no figure of the account leaves the server');
    const found = await broken();
    assert.deepEqual([found[BALANCE_RULE], found['lots hold the balance']], [1, 1]);

    await setBalance(userId, 10);
    await run('reconcile');
    await letAnHourPass();
    await run('check_changes');
    await run('reconcile');
    assert.deepEqual(await app.drain(), []);
    assert.equal(hooks().length, 1);
    assert.ok(Object.values(await broken()).every((count) => count === 0));
  });

  it('what is found within the hour after an alert is in the next hour’s, and what was told is not told again', async () => {
    const [first, second] = [await app.user(10), await app.user(10)];
    await setBalance(first, 11);
    await run('reconcile');
    await setBalance(second, 11);
    await run('reconcile');
    await run('check_changes');
    await app.drain();
    assert.equal(hooks().length, 1);
    await letAnHourPass();
    // The check of every minute tells of it, though it finds nothing itself.
    await run('check_changes');
    await app.drain();
    assert.equal(hooks().length, 2);
    const [, { text }] = hooks();
    assert.ok(text.includes(second) && !text.includes(first), text);
    await letAnHourPass();
    await run('check_changes');
    await app.drain();
    assert.equal(hooks().length, 2);
    for (const userId of [first, second]) await setBalance(userId, 10);
  });

  it('a cause is told once an hour, by however many processes at once', async () => {
    const { call } = app.ctx.db;
    const raised = await Promise.all(
      Array.from({ length: 20 }, () => call('raise_alert', { kind: 'store_key', subject: 'apple' })),
    );
    await call('raise_alert', { kind: 'store_key', subject: 'stripe' });
    assert.equal(raised.filter((isFirst) => isFirst).length, 1);
    const failures = await Promise.all([app.drain(), app.drain()]);
    assert.deepEqual(failures.flat(), []);
    const subjects = hooks().map(({ subject }) => subject);
    assert.deepEqual(subjects.sort(), ['apple', 'stripe']);
    assert.equal(chats().length, 2);
    // Its task has ended long ago, and is not started again.
    await call('raise_alert', { kind: 'store_key', subject: 'apple' });
    await app.drain();
    assert.equal(hooks().length, 2);
    await letAnHourPass();
    await call('raise_alert', { kind: 'store_key', subject: 'apple' });
    await app.drain();
    assert.equal(hooks().length, 3);
  });

  it('a receiver that fails is tried again, and the other is not told twice', async () => {
    inbox.answer = (response) => {
      const isChat = inbox.requests.at(-1)?.path.startsWith('/bot');
      response.writeHead(isChat ? 200 : 500).end(isChat ? '{"ok":true}' : '');
    };
    await app.ctx.db.call('raise_alert', { kind: 'store_key', subject: 'apple' });
    const [failure] = await app.drain();
    assert.match(String(failure), /did not reach webhook/);
    assert.deepEqual([hooks().length, chats().length], [1, 1]);
    inbox.answer = (response) => response.end('{"ok":true}');
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([hooks().length, chats().length], [2, 1]);
    const ids = hooks().map(({ id }) => id);
    assert.equal(ids[0], ids[1], 'by the same id');
  });

  it('an alert that no attempt could send is given up, and leaves no task behind', async () => {
    inbox.answer = (response) => response.writeHead(500).end();
    await app.ctx.db.call('raise_alert', { kind: 'store_key', subject: 'apple' });
    const left = async () =>
      (await app.owner.query('select attempts, max_attempts from graphile_worker._private_jobs')).rows;
    for (let attempt = 1; attempt < 10; attempt += 1) {
      assert.equal((await app.drain()).length, 1);
      assert.deepEqual(await left(), [{ attempts: attempt, max_attempts: 10 }]);
      await app.makeAllDue();
    }
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(await left(), []);
  });

  it('without a receiver, alerts are kept in the database, and nothing fails', async () => {
    const ctx = { ...app.ctx, alertReceivers: [] };
    await app.ctx.db.call('raise_alert', { kind: 'store_key', subject: 'apple' });
    assert.deepEqual(await app.drain({ ctx }), []);
    const { rows } = await app.owner.query('select kind, subject, sent_to from alerts');
    assert.deepEqual(rows, [{ kind: 'store_key', subject: 'apple', sent_to: [] }]);
  });

  it('an alert of a version that this one does not know is still told', async () => {
    await app.ctx.db.call('raise_alert', { kind: 'new_kind', subject: 'thing', details: { any: 1 } });
    assert.deepEqual(await app.drain(), []);
    assert.equal(hooks()[0]?.title, 'new_kind thing');
  });
});

describe('a refused key of a store', () => {
  it('is an alert that the worker sends; the user has an answer at once, whatever the receiver does', async () => {
    await using inbox = await openAlertInbox();
    await using shop = await openShop(envFor(inbox.url));
    const guest = await shop.guest();
    const { transactionId } = shop.bought();
    shop.store.setFault(() => new Response('no', { status: 401 }));
    inbox.answer = () => {};
    for (let report = 0; report < 3; report += 1) {
      const { status, body } = await shop.claimById(guest, transactionId);
      assert.deepEqual([status, Object(body).error.code], [503, 'ERR_5006']);
    }
    assert.deepEqual(inbox.requests, [], 'nothing is sent within a request');
    inbox.reset();
    assert.deepEqual(await shop.people.app.drain(), []);
    const sent = inbox.requests.filter(({ path }) => path === '/hook').map(({ body }) => Object(body));
    assert.equal(sent.length, 1);
    assert.equal(sent[0].title, 'The App Store refuses the key of this server');
    assert.match(sent[0].text, /APPLE_KEY_ID/);
    assert.ok(!JSON.stringify(inbox.requests).includes(guest.id));
  });

  it('does not change the answer where alerts cannot be kept', async () => {
    await using shop = await openShop();
    const guest = await shop.guest();
    await shop.people.app.owner.query('alter table alerts rename to no_alerts');
    shop.store.setFault(() => new Response('no', { status: 401 }));
    const { status, body } = await shop.claimById(guest, shop.bought().transactionId);
    assert.deepEqual([status, Object(body).error.code], [503, 'ERR_5006']);
  });
});
