/**
 * The ledger against a model of it: random sequences of grants, purchases, spending, refunds, expiry, merges, deletions and
 * repeats. `LEDGER_RUNS` sets how many sequences, `LEDGER_SEED` repeats a run; a failure prints its seed and the shortest
 * sequence that shows it.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { createMoneyWorld, hashOf, type MoneyWorld } from '../../support/money.ts';
import { Account, LedgerModel } from './ledger-model.ts';
import { APPLE_USERS, history, type Operation, USERS } from './operations.ts';

const RUNS = Number(process.env.LEDGER_RUNS ?? 500);
const SEED = process.env.LEDGER_SEED ? Number(process.env.LEDGER_SEED) : Math.trunc(Math.random() * 2 ** 31);
/** Sequences between two checks of every invariant: a check costs as much as many sequences. */
const CHECK_EVERY = 50;

type Person = { id: string; account: Account };
type Run = {
  world: MoneyWorld;
  model: LedgerModel;
  people: Person[];
  apples: { sub: string; person: Person | null }[];
  id: string;
  jobs: string[];
  keys: Map<number, { key: string; user: Person; seconds: number; jobId: string }>;
};

const FAR = `'3000-01-01'::timestamptz`;
const PAST = `'2000-01-01'::timestamptz`;
/** Decisions of stores are dated in seconds of this day. */
const decided = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

describe(`the ledger and its model, seed ${SEED}`, () => {
  let world: MoneyWorld;
  let model: string;
  before(async () => {
    world = await createMoneyWorld();
    // One credit a second.
    const { rows } = await world.owner.query(
      `update models set price_credits = 1, price_per_seconds = 1 where name = 'Sandbox' returning id`,
    );
    model = rows[0].id;
  });
  after(() => world[Symbol.asyncDispose]());

  it(`agree after each of ${RUNS} sequences`, async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(history, async (operations) => {
        const run = await newRun();
        for (const operation of operations) await perform(run, operation);
        await assertEqual(run);
        runs += 1;
        if (runs % CHECK_EVERY === 0) await world.assertInvariants();
      }),
      { numRuns: RUNS, seed: SEED },
    );
    await world.assertInvariants();
  });

  async function newRun(): Promise<Run> {
    const ids = await Promise.all(Array.from({ length: USERS }, () => world.user()));
    return {
      world,
      model: new LedgerModel(),
      people: ids.map((id) => ({ id, account: new Account() })),
      apples: Array.from({ length: APPLE_USERS }, () => ({ sub: randomUUID(), person: null })),
      id: randomUUID(),
      jobs: [],
      keys: new Map(),
    };
  }

  async function perform(run: Run, op: Operation): Promise<void> {
    switch (op.do) {
      case 'grant':
        return grant(run, op);
      case 'buy':
        return buy(run, op);
      case 'refund':
        return refund(run, op);
      case 'begin':
        return begin(run, op);
      case 'end':
        return end(run, op);
      case 'correct':
        return correct(run, op);
      case 'merge':
        return merge(run, op);
      case 'remove':
        return remove(run, op);
      case 'wait':
        return wait(run, op);
    }
  }

  const personOf = ({ people }: Run, index: number): Person => people[index % USERS] as Person;

  async function grant(run: Run, op: Extract<Operation, { do: 'grant' }>): Promise<void> {
    const { id, account } = personOf(run, op.user);
    const expected = run.model.grant(account, op.amount, op.expiresAt);
    const { rows } = await world.owner.query(
      `select add_credits($1, $2, 'promo_grant', p_expires_at => case when $3::int <= $4 then ${PAST} else ${FAR} end + make_interval(secs => $3::int)) as answer`,
      [id, op.amount, op.expiresAt, run.model.now],
    );
    assert.equal(rows[0].answer.success, expected === 'granted', 'grant');
  }

  async function buy(run: Run, op: Extract<Operation, { do: 'buy' }>): Promise<void> {
    const caller = op.user === null ? null : personOf(run, op.user);
    const named = op.token === null || op.token === 'unknown' ? null : personOf(run, op.token);
    const token = op.token === 'unknown' ? 'unknown' : (named?.account ?? null);
    const transaction = `${run.id}:${op.transaction}`;
    const expected = run.model.buy(transaction, caller?.account ?? null, token, op.credits);
    const result = await world.db.call('credit_purchase', {
      store: 'apple',
      environment: 'Production',
      transaction_id: transaction,
      product_id: `com.rendio.credits.${op.credits}`,
      quantity: 1,
      caller_id: caller?.id ?? null,
      token: op.token === 'unknown' ? randomUUID() : (named?.id ?? null),
    });
    assert.equal(result.outcome, expected, 'buy');
  }

  async function refund(run: Run, op: Extract<Operation, { do: 'refund' }>): Promise<void> {
    const transaction = `${run.id}:${op.transaction}`;
    const share = (op.percentage ?? 100_000) / 100_000;
    const expected = run.model.refund(transaction, op.decidedAt, op.isRefund, share);
    const result = await world.db.call('refund_purchase', {
      store: 'apple',
      environment: 'Production',
      transaction_id: transaction,
      decided_at: decided(op.decidedAt),
      is_refund: op.isRefund,
      percentage: op.percentage,
    });
    assert.equal(result.outcome, expected, 'refund');
  }

  async function begin(run: Run, op: Extract<Operation, { do: 'begin' }>): Promise<void> {
    const user = personOf(run, op.user);
    const earlier = run.keys.get(op.key);
    const isSame = earlier && run.model.of(earlier.user.account) === run.model.of(user.account);
    const seconds = isSame ? earlier.seconds : op.seconds;
    const key = isSame ? earlier.key : randomUUID();
    const result = await world.begin(user.id, {
      model_id: model,
      settings: { duration: seconds },
      idempotency_key: key,
      request_hash: hashOf(String(seconds)),
    });
    if (isSame && !run.model.of(user.account).isDeleted) {
      assert.equal(result.outcome, 'replayed', 'a repeat with the same key');
      assert.equal(result.response?.job_id, earlier.jobId);
      return;
    }
    const expected = run.model.begin(user.account, seconds);
    assert.equal(result.outcome, expected.outcome, 'begin');
    if (!result.response) return;
    run.jobs[expected.job] = result.response.job_id;
    run.keys.set(op.key, { key, user, seconds, jobId: result.response.job_id });
  }

  async function end(run: Run, op: Extract<Operation, { do: 'end' }>): Promise<void> {
    const jobId = run.jobs[op.job];
    if (!jobId) return;
    const expected = run.model.end(op.job, op.isRefunded);
    if (!op.isRefunded && expected) await world.submit(jobId);
    assert.equal(op.isRefunded ? await world.fail(jobId) : await world.finish(jobId), expected, 'end');
  }

  async function correct(run: Run, op: Extract<Operation, { do: 'correct' }>): Promise<void> {
    const { id, account } = personOf(run, op.user);
    const expected = run.model.correct(account, op.amount);
    const answer = await world.call('deduct_credits', { user_id: id, amount: op.amount, reason: 'admin_adjustment' });
    assert.equal((answer as { success: boolean }).success, expected === 'taken', 'correct');
  }

  async function merge(run: Run, op: Extract<Operation, { do: 'merge' }>): Promise<void> {
    const guest = personOf(run, op.user);
    const apple = run.apples[op.apple];
    // A guest that belongs to an Apple user already, or is gone, is refused: tests of accounts have that.
    const isTaken =
      guest.account.survivor || guest.account.isDeleted || run.apples.some(({ person }) => person === guest);
    if (!apple || isTaken || apple.person?.account.isDeleted) return;
    await world.db.call('link_apple_identity', {
      ...{ user_id: guest.id, apple_sub: apple.sub, is_email_verified: false, is_private_email: false },
      ...{ token_hash: randomBytes(32), token_expires_at: new Date(Date.now() + 600_000), may_merge: true },
    });
    if (apple.person) run.model.merge(guest.account, apple.person.account);
    else apple.person = guest;
  }

  async function remove(run: Run, op: Extract<Operation, { do: 'remove' }>): Promise<void> {
    const { id, account } = personOf(run, op.user);
    run.model.remove(account);
    await world.db.call('delete_account', { user_id: id });
  }

  async function wait(run: Run, op: Extract<Operation, { do: 'wait' }>): Promise<void> {
    run.model.now = Math.max(run.model.now, op.until);
    run.model.expireAll(run.people.map(({ account }) => run.model.of(account)));
    await world.owner.query(
      `update credit_lots set expires_at = ${PAST} + (expires_at - ${FAR})
       where user_id = any ($1) and expires_at >= ${FAR} and expires_at <= ${FAR} + make_interval(secs => $2)`,
      [run.people.map(({ id }) => id), run.model.now],
    );
    while ((await world.db.call('expire_due_lots', { limit: 100 })) > 0);
  }

  /** Balances, lifetime totals and lots, of every account that is left. */
  async function assertEqual(run: Run): Promise<void> {
    const { rows } = await world.owner.query(
      `select u.id, u.credits_remaining, u.credits_total,
         (select coalesce(json_agg(json_build_array(amount, remaining, is_purchased) order by seq), '[]')
          from credit_lots where user_id = u.id) as lots
       from users u where u.id = any ($1)`,
      [run.people.map(({ id }) => id)],
    );
    for (const { id, account } of run.people) {
      const row = rows.find((each) => each.id === id);
      assert.equal(row.credits_remaining, account.balance, 'balance');
      assert.equal(row.credits_total, account.total, 'lifetime total');
      const lots = account.lots.toSorted((a, b) => a.seq - b.seq);
      // How credits that come back at the end of a deleted account are spread over its lots is nobody's.
      if (account.isDeleted) continue;
      assert.deepEqual(
        row.lots,
        lots.map(({ amount, remaining, isPurchased }) => [amount, remaining, isPurchased]),
        'lots',
      );
    }
  }
});
