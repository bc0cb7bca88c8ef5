/**
 * Each guard of the credits is proven by removing it: with it the guarantee holds, without it the same attack breaks the
 * guarantee. A guard whose removal no test notices would not be proven.
 */
import { randomUUID } from 'node:crypto';
import { asOwner, type Guard, proveGuards, rewrite, rewriteOnce, survives } from '../support/guards.ts';
import { hashOf, type MoneyWorld } from '../support/money.ts';

const drop = (index: string) => async (world: MoneyWorld) => {
  await world.owner.query(`drop index ${index}`);
};

const allowDebt = async (world: MoneyWorld) => {
  await world.owner.query('alter table quota_log drop constraint quota_log_spending_leaves_no_debt');
};

/** The lots are a second guard of the ledger; here the first ones are proven alone. */
const withoutLots = async (world: MoneyWorld) => {
  await rewrite(world, 'take_from_lots', 'v_left <= 0', 'true');
  await asOwner(world, 'drop trigger users_lots_hold_the_balance on users');
  await asOwner(world, 'alter table credit_lots drop constraint credit_lots_hold_at_most_their_amount');
};

const guards: Guard[] = [
  {
    guarantee: 'the balance check: no deduction makes the balance negative',
    remove: async (world) => {
      await allowDebt(world);
      await rewrite(world, 'deduct_credits', 'v_user.credits_remaining < p_amount', 'false');
    },
    holds: async (world) => {
      const userId = await world.user(1);
      await world.begin(userId);
      await world.begin(userId);
      return (await world.balance(userId)) >= 0;
    },
  },
  {
    guarantee: 'the ledger’s own constraint: no deduction makes the balance negative, even without a procedure’s check',
    remove: allowDebt,
    holds: async (world) => {
      const userId = await world.user(1);
      const spend = world.owner.query(`select apply_credits($1, -2, 'video_generation', null, null)`, [userId]);
      return spend.then(
        () => false,
        () => true,
      );
    },
  },
  {
    guarantee: 'the row lock: each of many concurrent deductions sees the balance that the previous one left',
    remove: async (world) => {
      await rewrite(world, 'lock_account', 'for update', '');
      await withoutLots(world);
    },
    holds: async (world) => {
      // Every writer sleeps between reading the balance and writing it; only the lock makes the others wait.
      await asOwner(
        world,
        `create or replace function sleep_before_insert() returns trigger language plpgsql as
         $$ begin perform pg_sleep(0.02); return new; end $$;
         create or replace trigger sleep_before_insert before insert on quota_log for each row execute function sleep_before_insert()`,
      );
      const userId = await world.user(10);
      return survives(
        world,
        Array.from({ length: 8 }, () => () => world.call('deduct_credits', { user_id: userId, amount: 1 })),
      );
    },
  },
  {
    guarantee: 'positive amounts only: a negative deduction creates no credits',
    remove: (world) => rewrite(world, 'deduct_credits', 'p_amount is null or p_amount <= 0', 'false'),
    holds: async (world) => {
      const userId = await world.user(1);
      await world.call('deduct_credits', { user_id: userId, amount: -5, reason: 'admin_adjustment' }).catch(() => {});
      return (await world.balance(userId)) === 1;
    },
  },
  {
    guarantee: 'the unique transaction: a purchase is credited once',
    remove: async (world) => {
      await asOwner(world, 'alter table quota_log drop constraint quota_log_transaction_id_key');
      await rewrite(world, 'apply_credits', 'on conflict (transaction_id) do nothing', '');
    },
    holds: async (world) => {
      const userId = await world.user();
      const buy = { user_id: userId, amount: 10, reason: 'iap_purchase', transaction_id: 'one' };
      await Promise.allSettled([world.call('add_credits', buy), world.call('add_credits', buy)]);
      return (await world.balance(userId)) === 10;
    },
  },
  {
    guarantee: 'one charge per job',
    remove: drop('quota_log_one_charge_per_job'),
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      return survives(world, [
        () => world.call('deduct_credits', { user_id: userId, amount: 1, reason: 'video_generation', job_id: jobId }),
      ]);
    },
  },
  {
    guarantee: 'one refund per job',
    remove: async (world) => {
      await drop('quota_log_one_refund_per_job')(world);
      await withoutLots(world);
    },
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      await world.fail(jobId);
      return survives(world, [
        () =>
          world.call('add_credits', {
            user_id: userId,
            amount: 1,
            reason: 'generation_failed_refund',
            job_id: jobId,
          }),
      ]);
    },
  },
  {
    guarantee: 'one initial grant per account',
    remove: drop('quota_log_one_initial_grant_per_user'),
    holds: async (world) => {
      const userId = await world.user();
      const grant = { user_id: userId, amount: 10, reason: 'initial_grant' };
      await world.call('add_credits', grant);
      await world.call('add_credits', grant).catch(() => {});
      return (await world.balance(userId)) === 10;
    },
  },
  {
    guarantee: 'the idempotency key: a repeated request is charged once',
    remove: async (world) => {
      await asOwner(world, 'alter table idempotency_log drop constraint idempotency_log_pkey');
      await rewrite(world, 'find_response', 'expires_at > clock_timestamp()', 'false');
    },
    holds: async (world) => {
      const userId = await world.user(5);
      const key = randomUUID();
      await Promise.allSettled(Array.from({ length: 4 }, () => world.begin(userId, { idempotency_key: key })));
      return (await world.balance(userId)) === 4;
    },
  },
  {
    guarantee: 'the idempotency key without its check: the primary key alone still prevents the second charge',
    remove: async (world) => {
      await asOwner(world, 'alter table idempotency_log drop constraint idempotency_log_pkey');
    },
    holds: async (world) => {
      await rewriteOnce(world, 'find_response', 'expires_at > clock_timestamp()', 'false');
      const userId = await world.user(5);
      const key = randomUUID();
      await Promise.allSettled(Array.from({ length: 4 }, () => world.begin(userId, { idempotency_key: key })));
      return (await world.balance(userId)) === 4;
    },
  },
  {
    guarantee: 'the request’s hash: a key does not answer another request',
    remove: (world) => rewrite(world, 'find_response', 'v_logged.request_hash <> p_request_hash', 'false'),
    holds: async (world) => {
      const userId = await world.user(5);
      const key = randomUUID();
      await world.begin(userId, { idempotency_key: key });
      return (await world.begin(userId, { idempotency_key: key, request_hash: hashOf('x') })).outcome === 'key_reused';
    },
  },
  {
    guarantee: 'the state check of a failure: a generation that has ended is not refunded',
    remove: async (world) => {
      await rewrite(world, 'fail_generation', `v_job.status not in ('pending', 'processing')`, 'false');
      await asOwner(world, 'drop trigger video_jobs_guard_state on video_jobs');
    },
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      await world.submit(jobId);
      await world.finish(jobId);
      return survives(world, [() => world.fail(jobId)]);
    },
  },
  {
    guarantee: 'the state check of a success: a failed and refunded generation is never delivered',
    remove: async (world) => {
      await rewrite(world, 'finish_generation', `v_job.status is distinct from 'processing'`, 'false');
      await rewrite(world, 'finish_generation', `and status = 'processing'`, '');
      await rewrite(world, 'finish_generation', 'set status =', 'set error_code = null, status =');
      await asOwner(world, 'drop trigger video_jobs_guard_state on video_jobs');
    },
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      await world.submit(jobId);
      await world.fail(jobId);
      return survives(world, [() => world.finish(jobId)]);
    },
  },
  {
    guarantee: 'the state machine: an ended generation never runs again',
    remove: (world) => asOwner(world, 'drop trigger video_jobs_guard_state on video_jobs').then(() => {}),
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      await world.fail(jobId);
      const reopen = asOwner(
        world,
        `update video_jobs set status = 'pending', error_code = null, completed_at = null where job_id = $1`,
        [jobId],
      );
      return reopen.then(
        () => false,
        () => true,
      );
    },
  },
  {
    guarantee: 'one open attempt at a time: no provider is paid twice for a job',
    remove: drop('provider_attempts_one_outstanding'),
    holds: async (world) => {
      const userId = await world.user(5);
      const jobId = await world.job(userId);
      await world.db.call('begin_attempt', { job_id: jobId });
      const second = asOwner(
        world,
        `insert into provider_attempts (job_id, attempt, provider, provider_model_id) values ($1, 2, 'sandbox', 'x')`,
        [jobId],
      );
      return second.then(
        () => false,
        () => true,
      );
    },
  },
  {
    guarantee: 'the ledger only grows',
    remove: (world) => asOwner(world, 'drop trigger quota_log_only_grows on quota_log').then(() => {}),
    holds: async (world) => {
      const userId = await world.user(5);
      return survives(world, [() => asOwner(world, 'update quota_log set change = 50 where user_id = $1', [userId])]);
    },
  },
];

proveGuards('the guards of the credits', guards);
