/** The guards of lots and purchases, each proven by removing it. */
import { randomUUID } from 'node:crypto';
import { asOwner, type Guard, proveGuards, rewrite, rewriteOnce, survives } from '../support/guards.ts';
import type { MoneyWorld } from '../support/money.ts';

const DAY = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(DAY + seconds * 1000);

async function buy(world: MoneyWorld, callerId: string | null, change: { id?: string; token?: string } = {}) {
  return world.db.call('credit_purchase', {
    ...{ store: 'apple', environment: 'Production', product_id: 'com.rendio.credits.10', quantity: 1 },
    transaction_id: change.id ?? 'one',
    caller_id: callerId,
    token: change.token ?? null,
  });
}

async function refund(world: MoneyWorld, seconds: number, isRefund = true, percentage: number | null = null) {
  return world.db.call('refund_purchase', {
    ...{ store: 'apple', environment: 'Production', transaction_id: 'one', decided_at: at(seconds) },
    ...{ is_refund: isRefund, percentage },
  });
}

/** Each attack starts from an empty shop. */
async function forgetPurchases(world: MoneyWorld): Promise<void> {
  await asOwner(world, 'truncate purchases');
  await asOwner(world, 'alter table quota_log disable trigger user');
  await asOwner(world, `update quota_log set transaction_id = null, purchase_id = null where purchase_id is not null`);
  await asOwner(world, 'alter table quota_log enable trigger user');
}

const rejects = (work: Promise<unknown>) =>
  work.then(
    () => false,
    () => true,
  );

const dropBalanceCheck = (world: MoneyWorld) =>
  asOwner(world, 'drop trigger users_lots_hold_the_balance on users').then(() => {});

proveGuards('the guards of lots and purchases', [
  {
    guarantee: 'the constraint at the end of a transaction: lots hold the balance',
    remove: dropBalanceCheck,
    holds: async (world) => {
      const userId = await world.user(5);
      await rewriteOnce(world, 'take_from_lots', 'v_left <= 0', 'true');
      return survives(world, [() => world.call('deduct_credits', { user_id: userId, amount: 1 })], { withLots: true });
    },
  },
  {
    guarantee: 'credits that no lot holds are not spent',
    remove: async (world) => {
      await dropBalanceCheck(world);
      await rewrite(world, 'take_from_lots', 'if v_left > 0 then\n    raise', 'if false then\n    raise');
    },
    holds: async (world) => {
      const userId = await world.user(5);
      await asOwner(world, 'update credit_lots set remaining = 0 where user_id = $1', [userId]);
      return rejects(world.call('deduct_credits', { user_id: userId, amount: 1 }));
    },
  },
  {
    guarantee: 'a lot never holds more than its amount',
    remove: (world) =>
      asOwner(world, 'alter table credit_lots drop constraint credit_lots_hold_at_most_their_amount').then(() => {}),
    holds: async (world) => {
      const userId = await world.user(5);
      return rejects(asOwner(world, 'update credit_lots set remaining = 6 where user_id = $1', [userId]));
    },
  },
  {
    guarantee: 'purchased credits never expire',
    remove: (world) =>
      asOwner(world, 'alter table credit_lots drop constraint credit_lots_purchased_never_expire').then(() => {}),
    holds: async (world) => {
      const userId = await world.user();
      const expiring = { amount: 5, reason: 'iap_purchase', expires_at: at(0) };
      return rejects(world.call('add_credits', { user_id: userId, ...expiring }));
    },
  },
  {
    guarantee: 'the movements only grow',
    remove: (world) => asOwner(world, 'drop trigger lot_movements_only_grow on lot_movements').then(() => {}),
    holds: async (world) => {
      const userId = await world.user(5);
      await world.call('deduct_credits', { user_id: userId, amount: 2 });
      return survives(world, [() => asOwner(world, 'delete from lot_movements')], { withLots: true });
    },
  },
  {
    guarantee: 'what has expired is not spent, even before the sweep',
    remove: (world) => rewrite(world, 'deduct_credits', '- public.expire_lots(v_user.id)', ''),
    holds: async (world) => {
      const userId = await world.user();
      const soon = { amount: 5, reason: 'promo_grant', expires_at: new Date(Date.now() + 60_000) };
      await world.call('add_credits', { user_id: userId, ...soon });
      await asOwner(world, `update credit_lots set expires_at = now() - interval '1 s' where user_id = $1`, [userId]);
      const answer = await world.call('deduct_credits', { user_id: userId, amount: 1 });
      return (answer as { success: boolean }).success === false;
    },
  },
  {
    guarantee: 'one row for each transaction: many claims at once credit once',
    remove: async (world) => {
      await asOwner(world, 'alter table purchases drop constraint purchases_once');
      await asOwner(world, 'alter table quota_log drop constraint quota_log_transaction_id_key');
      await rewrite(world, 'apply_credits', 'on conflict (transaction_id) do nothing', '');
      await rewrite(
        world,
        'lock_transaction',
        'pg_catalog.pg_advisory_xact_lock',
        'pg_catalog.hashtextextended(p_store, 0)::text::void --',
      );
    },
    holds: async (world) => {
      const users = await Promise.all(Array.from({ length: 4 }, () => world.user()));
      const id = randomUUID();
      await Promise.allSettled(users.flatMap((user) => [buy(world, user, { id }), buy(world, user, { id })]));
      const balances = await Promise.all(users.map((user) => world.balance(user)));
      return balances.reduce((sum, balance) => sum + balance) === 10;
    },
  },
  {
    guarantee: 'the owner check: another account gets nothing for a credited purchase, and does not hear of it',
    remove: (world) => rewrite(world, 'credit_purchase', 'v_owner_id <> v_user.id', 'false'),
    holds: async (world) => {
      await forgetPurchases(world);
      await buy(world, await world.user());
      return (await buy(world, await world.user())).outcome === 'foreign';
    },
  },
  {
    guarantee: 'the account that a purchase names: no other is credited',
    remove: (world) => rewrite(world, 'credit_purchase', 'public.survivor_of(p_token) <> v_user.id', 'false'),
    holds: async (world) => {
      await forgetPurchases(world);
      const thief = await world.user();
      await buy(world, thief, { token: await world.user() });
      return (await world.balance(thief)) === 0;
    },
  },
  {
    guarantee: 'a purchase that was refunded before its first claim is never credited',
    remove: (world) => rewrite(world, 'credit_purchase', 'v_purchase.is_refunded', 'false'),
    holds: async (world) => {
      await forgetPurchases(world);
      const user = await world.user();
      await refund(world, 1);
      await buy(world, user);
      return (await world.balance(user)) === 0;
    },
  },
  {
    guarantee: 'the newest decision counts: an older refund that arrives late takes nothing',
    remove: (world) => rewrite(world, 'refund_purchase', 'v_purchase.refund_decided_at >= p_decided_at', 'false'),
    holds: async (world) => {
      await forgetPurchases(world);
      const user = await world.user();
      await buy(world, user);
      await refund(world, 2, false);
      await refund(world, 1);
      return (await world.balance(user)) === 10;
    },
  },
  {
    guarantee: 'a further refund of a lower share gives nothing back',
    remove: async (world) => {
      await rewrite(world, 'refund_purchase', 'v_change := least(v_change, 0)', 'v_change := v_change');
      await asOwner(world, 'alter table quota_log drop constraint quota_log_charges_take_and_grants_give');
    },
    holds: async (world) => {
      await forgetPurchases(world);
      const user = await world.user();
      await buy(world, user);
      await refund(world, 1, true, 80_000);
      await refund(world, 2, true, 30_000).catch(() => {});
      return (await world.balance(user)) === 2;
    },
  },
  {
    guarantee: 'no purchase takes back more than it gave',
    remove: (world) =>
      asOwner(world, 'alter table purchases drop constraint purchases_take_back_at_most_what_they_gave').then(() => {}),
    holds: async (world) => {
      await forgetPurchases(world);
      await buy(world, await world.user());
      return rejects(asOwner(world, 'update purchases set taken_back = 11'));
    },
  },
] satisfies Guard[]);
