import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';

type Operation =
  | { do: 'begin'; user: number; key: number }
  | { do: 'submit' | 'finish' | 'fail' | 'cancel' | 'delete' | 'unknown' | 'reject'; job: number }
  | { do: 'buy'; user: number; amount: number; transaction: number }
  | { do: 'spend'; user: number; amount: number }
  | { do: 'merge'; user: number; apple: number }
  | { do: 'grant' | 'leave'; user: number };

const USERS = 4;
/** Apple users, whose accounts these users become or are merged into. */
const APPLE_USERS = 2;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('begin' as const), user: fc.nat(USERS - 1), key: fc.nat(5) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'submit' as const,
        'finish' as const,
        'fail' as const,
        'cancel' as const,
        'delete' as const,
        'unknown' as const,
        'reject' as const,
      ),
      job: fc.nat(7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('buy' as const),
      user: fc.nat(USERS - 1),
      amount: fc.integer({ min: -2, max: 5 }),
      transaction: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('spend' as const),
      user: fc.nat(USERS - 1),
      amount: fc.integer({ min: -2, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('merge' as const),
      user: fc.nat(USERS - 1),
      apple: fc.nat(APPLE_USERS - 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('grant' as const, 'leave' as const), user: fc.nat(USERS - 1) }),
  },
);

/** Steps run one after another; the operations of a step run at once. */
const history = fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 10 });

type Run = {
  world: MoneyWorld;
  users: string[];
  keys: string[];
  id: string;
  jobs: { userId: string; jobId: string }[];
};
type UserOperation = Extract<Operation, { user: number }>;
type JobOperation = Exclude<Operation, { user: number }>;

async function performOnUser({ world, users, keys, id, jobs }: Run, op: UserOperation): Promise<void> {
  const userId = users[op.user] ?? '';
  switch (op.do) {
    case 'begin': {
      const begun = await world.begin(userId, { idempotency_key: keys[op.key] ?? '' });
      if (begun.outcome === 'created' && begun.response) jobs.push({ userId, jobId: begun.response.job_id });
      return;
    }
    case 'buy': {
      const purchase = { reason: 'iap_purchase', transaction_id: `${id}:${op.transaction}` };
      await world.call('add_credits', { user_id: userId, amount: op.amount, ...purchase });
      return;
    }
    case 'spend':
      await world.call('deduct_credits', { user_id: userId, amount: op.amount, reason: 'admin_adjustment' });
      return;
    case 'merge':
      await world.db.call('link_apple_identity', {
        ...{ user_id: userId, apple_sub: `${id}:${op.apple}`, is_email_verified: false, is_private_email: false },
        ...{ token_hash: randomBytes(32), token_expires_at: new Date(Date.now() + 600_000), may_merge: true },
      });
      return;
    case 'grant':
      await world.db.call('claim_initial_grant', { user_id: userId });
      await world.db.call('complete_initial_grant', { user_id: userId });
      return;
    case 'leave': {
      const deletedId = await world.db.call('delete_account', { user_id: userId });
      if (deletedId) await world.db.call('erase_account', { user_id: deletedId });
    }
  }
}

async function performOnJob({ world, jobs }: Run, op: JobOperation): Promise<void> {
  const job = jobs[op.job];
  if (!job) return;
  const { userId, jobId } = job;
  if (op.do === 'submit') await world.submit(jobId);
  else if (op.do === 'finish') await world.finish(jobId);
  else if (op.do === 'fail') await world.fail(jobId);
  else if (op.do === 'cancel') await world.db.call('cancel_generation', { user_id: userId, job_id: jobId });
  else if (op.do === 'delete') await world.db.call('delete_generation', { user_id: userId, job_id: jobId });
  else await endAttempt(world, jobId, op.do);
}

async function endAttempt(world: MoneyWorld, jobId: string, how: 'reject' | 'unknown'): Promise<void> {
  const attempt = await world.db.call('begin_attempt', { job_id: jobId });
  if (!('attempt_id' in attempt)) return;
  if (how === 'unknown') {
    await world.db.call('close_attempt', { attempt_id: attempt.attempt_id, state: 'unknown', error: 'cut' });
    return;
  }
  const failure = { state: 'declined', error_code: 'ERR_5003', cause: 'no' };
  await world.db.call('fail_attempt', { attempt_id: attempt.attempt_id, ...failure });
}

describe('random operations, one after another and at once', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('every invariant of the credits holds after every step', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const users = await Promise.all(Array.from({ length: USERS }, () => world.user(4)));
        const keys = Array.from({ length: 6 }, () => randomUUID());
        const run: Run = { world, users, keys, id: randomUUID(), jobs: [] };
        for (const step of steps) {
          await Promise.all(step.map((op) => ('user' in op ? performOnUser(run, op) : performOnJob(run, op))));
          await world.assertInvariants();
        }
        const balances = await Promise.all(users.map((userId) => world.balance(userId)));
        assert.ok(
          balances.every((balance) => balance >= 0),
          balances.join(),
        );
      }),
      { numRuns: 40 },
    );
  });
});
