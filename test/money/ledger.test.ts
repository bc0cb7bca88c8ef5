import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';

type Answer = { success: boolean; error?: string };

describe('the ledger', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const deduct = (userId: string, amount: number | null, reason?: string) =>
    world.call('deduct_credits', { user_id: userId, amount, reason }) as Promise<Answer>;
  const add = (userId: string, amount: number | null, reason = 'iap_purchase', transactionId?: string) =>
    world.call('add_credits', {
      user_id: userId,
      amount,
      reason,
      transaction_id: transactionId,
    }) as Promise<Answer>;

  it('answers a deduction with the remaining balance, and writes its row', async () => {
    const userId = await world.user(10);
    assert.deepEqual(await deduct(userId, 4), { success: true, credits_remaining: 6 });
    const { rows } = await world.owner.query(
      'select change, reason, balance_after from quota_log where user_id = $1 order by seq',
      [userId],
    );
    assert.deepEqual(rows, [
      { change: 10, reason: 'iap_purchase', balance_after: 10 },
      { change: -4, reason: 'video_generation', balance_after: 6 },
    ]);
    await world.assertInvariants();
  });

  it('rejects a deduction beyond the balance, says how much is required, and changes nothing', async () => {
    const userId = await world.user(3);
    assert.deepEqual(await deduct(userId, 4), {
      success: false,
      error: 'Insufficient credits',
      current_credits: 3,
      required_credits: 4,
    });
    assert.equal(await world.balance(userId), 3);
  });

  it('allows a deduction of the whole balance', async () => {
    const userId = await world.user(4);
    assert.deepEqual(await deduct(userId, 4), { success: true, credits_remaining: 0 });
  });

  for (const amount of [null, 0, -1, -2147483648]) {
    it(`rejects ${amount} as an amount of a deduction and of a credit`, async () => {
      const userId = await world.user(5);
      assert.deepEqual(await deduct(userId, amount), { success: false, error: 'Invalid amount' });
      assert.deepEqual(await add(userId, amount), { success: false, error: 'Invalid amount' });
      assert.equal(await world.balance(userId), 5);
    });
  }

  it('rejects an amount that no balance can hold', async () => {
    const userId = await world.user(5);
    assert.deepEqual(await add(userId, 2_000_000_000), { success: false, error: 'Invalid amount' });
    assert.equal(await world.balance(userId), 5);
  });

  it('rejects changes for users that do not exist or are deleted', async () => {
    const deleted = await world.user(5);
    await world.owner.query('update users set deleted_at = now(), device_id = null where id = $1', [deleted]);
    for (const userId of [randomUUID(), deleted]) {
      assert.deepEqual(await deduct(userId, 1), { success: false, error: 'User not found' });
      assert.deepEqual(await add(userId, 1), { success: false, error: 'User not found' });
    }
  });

  it('credits a transaction once, however many calls race, for one user or several', async () => {
    const users = await Promise.all([world.user(), world.user(), world.user()]);
    const transactionId = `t-${randomUUID()}`;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => add(users[index % 3] ?? '', 10, 'iap_purchase', transactionId)),
    );
    assert.equal(answers.filter((answer) => answer.success).length, 1);
    assert.ok(
      answers.every((answer) => answer.success || answer.error === 'Transaction already processed'),
      JSON.stringify(answers),
    );
    const balances = await Promise.all(users.map((userId) => world.balance(userId)));
    assert.equal(
      balances.reduce((sum, balance) => sum + balance),
      10,
    );
    await world.assertInvariants();
  });

  it('never makes a balance negative by concurrent deductions', async () => {
    const userId = await world.user(10);
    const answers = await Promise.all(Array.from({ length: 30 }, () => deduct(userId, 1)));
    assert.equal(answers.filter((answer) => answer.success).length, 10);
    assert.equal(await world.balance(userId), 0);
    await world.assertInvariants();
  });

  it('orders the rows of concurrent writers like their balances', async () => {
    const userId = await world.user(100);
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? deduct(userId, 1) : add(userId, 2))));
    const { rows } = await world.owner.query<{ change: number; balance_after: number }>(
      'select change, balance_after from quota_log where user_id = $1 order by seq',
      [userId],
    );
    let balance = 0;
    for (const row of rows) {
      balance += row.change;
      assert.equal(row.balance_after, balance);
    }
    assert.equal(rows.length, 41);
  });

  it('counts grants and purchases in the lifetime total, but neither refunds nor adjustments', async () => {
    const userId = await world.user(10);
    await add(userId, 5, 'admin_refund');
    await add(userId, 5, 'admin_adjustment');
    await add(userId, 7, 'promo_grant');
    await deduct(userId, 3);
    const { rows } = await world.owner.query('select credits_remaining, credits_total from users where id = $1', [
      userId,
    ]);
    assert.deepEqual(rows[0], { credits_remaining: 24, credits_total: 17 });
  });

  it('rejects a reason that the contract does not name', async () => {
    const userId = await world.user(5);
    await assert.rejects(add(userId, 1, 'because'), { code: '23514' });
    await assert.rejects(deduct(userId, 1, 'because'), { code: '23514' });
    assert.equal(await world.balance(userId), 5);
  });

  it('never changes or loses a row, not even for the owner of the table', async () => {
    const userId = await world.user(5);
    for (const statement of [
      'update quota_log set change = 50 where user_id = $1',
      'delete from quota_log where user_id = $1',
    ]) {
      await assert.rejects(world.owner.query(statement, [userId]), { code: '42501' });
    }
    await assert.rejects(world.owner.query('truncate quota_log'), { code: '42501' });
    await world.assertInvariants();
  });

  it('writes an event for each change, in the order of the changes', async () => {
    const userId = await world.user(5);
    await deduct(userId, 2);
    const { rows } = await world.owner.query(
      `select data from user_events where user_id = $1 and type = 'credits' order by id`,
      [userId],
    );
    const { rows: ledger } = await world.owner.query('select id from quota_log where user_id = $1 order by seq', [
      userId,
    ]);
    assert.deepEqual(
      rows.map((row) => row.data),
      [
        { credits_remaining: 5, change: 5, reason: 'iap_purchase', transaction_id: ledger[0]?.id },
        { credits_remaining: 3, change: -2, reason: 'video_generation', transaction_id: ledger[1]?.id },
      ],
    );
  });
});
