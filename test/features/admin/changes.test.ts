/** What administrators change of accounts and jobs: once, recorded, and safe beside users and other administrators. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub } from '../../support/people.ts';

/** The next poll of a job is due long after the test. */
const vendor = { pollIntervalMs: 60_000, status: [{ state: 'processing' as const, progress: 10 }] };
const people = await createPeople({ vendor });
const { app } = people;
const [ada, grace] = [await newAdministrator(app), await newAdministrator(app)];
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const reason = 'Agreed with support.';
const actionsOn = (userId: string) =>
  people.rows(
    `select action_type as type, amount, reason, admin_user_id as by, session_id, target_job_id as job
     from admin_actions where target_user_id = $1 order by id`,
    [userId],
  );
const by = { by: ada.id, session_id: ada.sessionId, reason };
const adjust = (id: string, amount: number, who = ada, key?: string) =>
  who.call('admin-adjust-credits', { user_id: id, amount, reason }, key ? { 'Idempotency-Key': key } : {});

describe('correcting a balance', () => {
  it('adds or takes credits, leaves what was earned, and is recorded with who, why and how much', async () => {
    const guest = await people.guest(10);
    const [more, less] = [await adjust(guest.id.toUpperCase(), 5), await adjust(guest.id, -12)];
    assert.deepEqual([more.status, more.body], [200, { success: true, new_balance: 15 }]);
    assert.deepEqual(less.body, { success: true, new_balance: 3 });
    const ledger = (await people.ledger(guest.id)).slice(1);
    assert.deepEqual(
      ledger.map(({ change, reason }) => [change, reason]),
      [
        [5, 'admin_adjustment'],
        [-12, 'admin_adjustment'],
      ],
    );
    const [row] = await people.rows('select credits_total from users where id = $1', [guest.id]);
    assert.equal(row?.credits_total, 10);
    assert.deepEqual(await actionsOn(guest.id), [
      { ...by, type: 'credit_adjustment', amount: 5, job: null },
      { ...by, type: 'credit_adjustment', amount: -12, job: null },
    ]);
  });

  it('is a 409 that changes nothing where the balance would fall below zero, also by two administrators at once', async () => {
    const guest = await people.guest(5);
    const over = await adjust(guest.id, -6);
    assert.deepEqual([over.status, over.body.error.code], [409, 'ERR_4008']);
    assert.equal(over.body.error.details.credits_remaining, 5);
    assert.match(over.body.error.message, /below zero/);
    assert.deepEqual(await actionsOn(guest.id), []);
    const both = await Promise.all([adjust(guest.id, -3), adjust(guest.id, -3, grace)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    assert.deepEqual([await app.balance(guest.id), (await actionsOn(guest.id)).length], [2, 1]);
  });

  it('of a debt only lessens it', async () => {
    const guest = await people.guest(0);
    const { db } = app.ctx;
    const purchase = { store: 'apple', environment: 'Production', transaction_id: randomUUID() };
    const product = { product_id: 'com.rendio.credits.10', quantity: 1, caller_id: guest.id };
    await db.call('credit_purchase', { ...purchase, ...product });
    await adjust(guest.id, -4);
    await db.call('refund_purchase', { ...purchase, decided_at: new Date(), is_refund: true });
    assert.equal((await adjust(guest.id, -1)).body.error.details.credits_remaining, -4);
    assert.equal((await adjust(guest.id, 1)).body.new_balance, -3);
    assert.equal((await adjust(guest.id, 10)).body.new_balance, 7);
  });

  it('shares a balance with generations that begin meanwhile: together they spend no more than there is', async () => {
    const guest = await people.guest(4);
    const answers = await Promise.all([
      ...Array.from({ length: 3 }, () => people.generate(guest.token)),
      ...Array.from({ length: 3 }, () => adjust(guest.id, -1)),
    ]);
    const paid = answers.filter(({ status }) => status === 200).length;
    assert.deepEqual([paid, await app.balance(guest.id)], [4, 0]);
    assert.ok(answers.every(({ status }) => [200, 402, 409].includes(status)));
    for (const { job_id } of answers.map(({ body }) => body).filter((body) => 'job_id' in body)) {
      assert.equal((await ada.call('admin-cancel-job', { job_id, reason })).status, 200);
    }
  });

  it('happens once for a key, and a key is an administrator’s own', async () => {
    const [guest, key] = [await people.guest(0), randomUUID()];
    const answers = await Promise.all([1, 2, 3].map(() => adjust(guest.id, 5, ada, key)));
    assert.deepEqual(
      answers.map(({ body }) => body.new_balance),
      [5, 5, 5],
    );
    assert.equal((await adjust(guest.id, 5, grace, key)).body.new_balance, 10);
    assert.equal((await adjust(guest.id, 4, ada, key)).status, 422);
    assert.equal(
      (await ada.call('admin-ban-user', { user_id: guest.id, reason }, { 'Idempotency-Key': key })).status,
      422,
    );
    const over = randomUUID();
    assert.equal((await adjust(guest.id, -20, ada, over)).status, 409);
    assert.equal((await adjust(guest.id, -2, ada, over)).body.new_balance, 8, 'a refusal burns no key');
  });

  it('is 400 for 0, halves and more than 10,000 either way, and 404 for an unknown account', async () => {
    const guest = await people.guest(0);
    for (const amount of [0, 0.5, -10_001, 10_001, '5', null, 1e300]) {
      const { status, body } = await adjust(guest.id, amount as number);
      assert.deepEqual([status, body.error.details.field], [400, 'amount'], String(amount));
    }
    assert.equal((await adjust(randomUUID(), 1)).status, 404);
    assert.equal((await adjust('ada', 1)).body.error.details.field, 'user_id');
    assert.deepEqual([(await adjust(guest.id, 10_000)).status, (await adjust(guest.id, -10_000)).status], [200, 200]);
  });
});

describe('a ban', () => {
  const ban = (id: string, who = ada, headers = {}) => who.call('admin-ban-user', { user_id: id, reason }, headers);
  const unban = (id: string) => ada.call('admin-unban-user', { user_id: id, reason });

  it('holds for tokens that are already out and for a refresh, until it is lifted; repeats change nothing', async () => {
    const guest = await people.guest(3);
    const both = await Promise.all([ban(guest.id), ban(guest.id, grace)]);
    assert.deepEqual(
      both.map(({ status, body }) => [status, body]),
      Array(2).fill([200, { success: true }]),
    );
    for (const path of ['get-user-credits', 'get-sessions', 'export-account']) {
      const { status, body } = await people.call(guest.token, path);
      assert.deepEqual([status, body.error.code], [403, 'ERR_4013'], path);
    }
    assert.equal((await people.generate(guest.token)).status, 403);
    assert.equal((await people.refresh(guest.refreshToken)).status, 403);
    assert.deepEqual(
      (await actionsOn(guest.id)).map(({ type }) => type),
      ['user_ban'],
    );
    for (let n = 0; n < 2; n += 1) assert.deepEqual((await unban(guest.id)).body, { success: true });
    assert.deepEqual(
      (await actionsOn(guest.id)).map(({ type }) => type),
      ['user_ban', 'user_unban'],
    );
    assert.equal((await people.call(guest.token, 'get-user-credits')).body.credits_remaining, 3);
    assert.equal((await people.refresh(guest.refreshToken)).status, 200);
  });

  it('ends the event streams of the account', async () => {
    const guest = await people.guest(0);
    const headers = { Authorization: `Bearer ${guest.token}` };
    const stream = await app.fetch('/functions/v1/job-events', { headers });
    assert.equal(stream.status, 200);
    await ban(guest.id);
    // Resolves only once the server has ended it.
    await stream.text();
    assert.equal((await app.fetch('/functions/v1/job-events', { headers })).status, 403);
  });

  it('of a merged guest’s id bans the account that it is part of', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest(0)];
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await ban(guest.id)).status, 200);
    assert.equal((await people.call(survivor.token, 'get-user-credits')).status, 403);
    assert.deepEqual(
      (await actionsOn(survivor.id)).map(({ type }) => type),
      ['user_ban'],
    );
    assert.equal((await unban(guest.id)).status, 200);
    assert.equal((await people.call(survivor.token, 'get-user-credits')).status, 200);
  });

  it('burns its key also where it changes nothing, and is 404 for an unknown or deleted account', async () => {
    const [guest, gone] = [await people.guest(0), await people.guest(0)];
    const key = { 'Idempotency-Key': randomUUID() };
    await ban(guest.id);
    await ban(guest.id, ada, key);
    assert.equal((await ban(guest.id, ada, key)).headers.get('X-Idempotent-Replay'), 'true');
    assert.equal((await ban(gone.id, ada, key)).status, 422);
    await people.call(gone.token, 'delete-account', {});
    for (const id of [randomUUID(), gone.id]) {
      assert.deepEqual([(await ban(id)).status, (await unban(id)).status], [404, 404]);
    }
  });
});

describe('cancelling a job', () => {
  const cancel = (jobId: string, who = ada) => who.call('admin-cancel-job', { job_id: jobId, reason });

  it('gives the credits back once and leaves the vendor to the queue, before and after it was submitted', async () => {
    const owner = await people.guest(2);
    const running = await app.generate(owner.id);
    await app.drain();
    const waiting = await app.generate(owner.id);
    assert.equal((await app.job(running)).status, 'processing');
    for (const job of [waiting, running]) {
      const both = await Promise.all([cancel(job), cancel(job, grace)]);
      assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
      const done = both.find(({ status }) => status === 200);
      assert.deepEqual(done?.body, { success: true, refunded: 1 });
      const { status, error_code } = await app.job(job);
      assert.deepEqual([status, error_code], ['failed', 'ERR_5004']);
    }
    assert.deepEqual(app.vendor.cancels, [], 'no vendor is called within the request');
    await app.drain();
    assert.deepEqual(app.vendor.cancels, [running]);
    assert.equal(await app.balance(owner.id), 2);
    const refunds = (await people.ledger(owner.id)).filter(({ reason: why }) => why === 'generation_failed_refund');
    assert.equal(refunds.length, 2);
    const actions = await actionsOn(owner.id);
    assert.deepEqual(
      actions.map(({ type, amount, job }) => [type, amount, job]),
      [
        ['job_cancel', 1, waiting],
        ['job_cancel', 1, running],
      ],
    );
  });

  it('counts also while the finished video is being delivered: it is not stored, and the credits come back once', async () => {
    const owner = await people.guest(1);
    const job = await app.generate(owner.id);
    app.vendor.script({
      status: [
        async ({ jobId }) => {
          assert.equal((await cancel(jobId)).body.refunded, 1);
          return 'complete';
        },
      ],
    });
    await app.drain();
    await app.makeAllDue();
    await app.drain();
    assert.deepEqual([(await app.job(job)).status, await app.balance(owner.id)], ['failed', 1]);
    await app.assertSound();
  });

  it('is 409 for a job that has ended, 404 for an unknown one, and 400 for what is no id', async () => {
    const owner = await people.guest(1);
    const job = await app.generate(owner.id);
    await ada.call('admin-cancel-job', { job_id: job, reason });
    const ended = await cancel(job);
    assert.deepEqual([ended.status, ended.body.error.details.status], [409, 'failed']);
    assert.equal((await cancel(randomUUID())).status, 404);
    assert.equal((await cancel('job')).body.error.details.field, 'job_id');
    assert.equal((await actionsOn(owner.id)).length, 1);
  });
});
