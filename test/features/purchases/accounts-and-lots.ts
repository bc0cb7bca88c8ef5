/** Scenarios: notifications without the app, merged and deleted accounts, calls at once, lots and what Apple is told about them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { newSub } from '../../support/people.ts';
import { assertCredited, assertRefused, type Scenario, type Shop } from './shop.ts';

async function buyer(shop: Shop, fields: object = {}) {
  const guest = await shop.guest();
  const transaction = shop.bought({ ...fields });
  assertCredited(await shop.claimById(guest, transaction.transactionId), 10, 10);
  return { guest, transaction };
}

/** The last answer to a consumption request about the purchase: the consumed share. */
function toldShare(shop: Shop, transactionId: string): unknown {
  const told = shop.store.consumptions.findLast((each) => each.transactionId === transactionId);
  return Object(told?.body).consumptionPercentage;
}

export const WITHOUT_THE_APP: Scenario[] = [
  [
    'a charge that the app never reported credits the account that it names, once',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought({ appAccountToken: guest.id });
      await shop.notify('ONE_TIME_CHARGE', transaction);
      assert.equal(await shop.balance(guest), 10);
      await shop.notify('ONE_TIME_CHARGE', transaction);
      assertCredited(await shop.claimById(guest, transaction.transactionId), 0, 10);
    },
  ],
  [
    'a charge that names nobody waits for the app',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought();
      const uuid = randomUUID();
      await shop.notify('ONE_TIME_CHARGE', transaction, { uuid });
      assert.equal(await shop.outcomeOf(uuid), 'no_owner');
      assertCredited(await shop.claimById(guest, transaction.transactionId), 10, 10);
    },
  ],
  [
    'a charge of something else than credits is recorded without effect',
    async (shop) => {
      const guest = await shop.guest();
      for (const fields of [{ type: 'Non-Consumable' }, { productId: 'other' }, { quantity: -1 }]) {
        await shop.notify('ONE_TIME_CHARGE', shop.bought({ appAccountToken: guest.id, ...fields }));
      }
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    'a charge that arrives after its refund credits nobody',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought({ appAccountToken: guest.id });
      await shop.notify('REFUND', transaction, { at: 2 });
      await shop.notify('ONE_TIME_CHARGE', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    'a notification of another app, another root or with a swapped transaction is 401 and leaves no trace',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const own = { notificationType: 'REFUND', transaction };
      const send = async (signedPayload: string) =>
        (await shop.people.call('', 'apple-server-notifications', { signedPayload })).status;
      const [{ n: before } = {}] = await shop.people.rows('select count(*) as n from store_notifications');
      assert.equal(
        await send(await shop.store.signNotification({ ...own, data: { bundleId: 'com.example.other' } })),
        401,
      );
      assert.equal(await send(await shop.store.signNotification({ ...own, data: { appAppleId: 99 } })), 401);
      assert.equal(
        await send(await shop.store.signNotification({ ...own, transaction: { ...transaction, bundleId: 'x' } })),
        401,
      );
      assert.equal(
        await send(await shop.store.signNotification({ ...own, data: { signedTransactionInfo: 'a.b.c' } })),
        401,
      );
      assert.equal(await send('a.b.c'), 401);
      const [{ n } = {}] = await shop.people.rows('select count(*) as n from store_notifications');
      assert.equal(n, before);
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'a body of the wrong shape is 400',
    async (shop) => {
      for (const body of [{}, { signedPayload: 5 }, { signedPayload: '' }, { payload: 'a.b.c' }])
        assert.equal((await shop.people.call('', 'apple-server-notifications', body)).status, 400);
    },
  ],
  [
    'a worker that dies between the 200 and the work loses nothing',
    async (shop) => {
      const { app } = shop.people;
      const guest = await shop.guest();
      const uuid = randomUUID();
      const transaction = shop.bought({ appAccountToken: guest.id });
      assert.equal(await shop.notify('ONE_TIME_CHARGE', transaction, { uuid, isUnprocessed: true }), 200);
      // It dies once before and once after the credits have moved.
      const dying = (isDone: boolean) => ({
        ...app.ctx,
        db: {
          ...app.ctx.db,
          call: async (procedure: 'credit_purchase', args: never) => {
            if (isDone) await app.ctx.db.call(procedure, args);
            throw new Error('killed');
          },
        },
      });
      for (const isDone of [false, true]) {
        assert.equal((await app.drain({ ctx: dying(isDone) as typeof app.ctx })).length, 1);
        await app.makeAllDue();
      }
      assert.deepEqual(await app.drain(), []);
      assert.equal(await shop.balance(guest), 10);
      assert.equal(await shop.outcomeOf(uuid), 'repeated');
    },
  ],
];

export const ACCOUNTS: Scenario[] = [
  [
    'a purchase that names a merged guest is the survivor’s',
    async (shop) => {
      const [survivor, guest] = [await shop.guest(), await shop.guest()];
      await shop.merge(survivor, guest);
      const one = shop.bought({ appAccountToken: guest.id });
      assertCredited(await shop.claimById(survivor, one.transactionId), 10, 10);
      assertCredited(await shop.claimById(guest, one.transactionId), 0, 10);
      await shop.notify('ONE_TIME_CHARGE', shop.bought({ appAccountToken: guest.id }));
      assert.equal(await shop.balance(survivor), 20);
    },
  ],
  [
    'a guest’s purchase that is refunded after the merge is taken from the survivor',
    async (shop) => {
      const survivor = await shop.guest(3);
      const { guest, transaction } = await buyer(shop);
      await shop.merge(survivor, guest);
      await shop.notify('REFUND', transaction, { at: 1 });
      assert.equal(await shop.balance(survivor), 3);
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      assert.equal(await shop.balance(survivor), 13);
    },
  ],
  [
    'a debt moves with a merge and is repaid there',
    async (shop) => {
      const survivor = await shop.guest(4);
      const { guest, transaction } = await buyer(shop);
      await shop.spend(guest, 10);
      await shop.notify('REFUND', transaction, { at: 1 });
      await shop.merge(survivor, guest);
      assert.equal(await shop.balance(survivor), -6);
    },
  ],
  [
    'deleting the account and claiming again credits nobody twice',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      assert.equal((await shop.people.call(guest.token, 'delete-account', {})).status, 200);
      await shop.people.app.drain();
      const again = await shop.guest();
      assertRefused(await shop.claimById(again, transaction.transactionId), 409, 'ERR_4012');
      assertRefused(await shop.claimSigned(again, transaction), 409, 'ERR_4012');
      assert.equal(await shop.balance(again), 0);
    },
  ],
  [
    'a purchase that names a deleted account is nobody’s any more',
    async (shop) => {
      const [gone, other] = [await shop.guest(), await shop.guest()];
      await shop.people.call(gone.token, 'delete-account', {});
      const transaction = shop.bought({ appAccountToken: gone.id });
      assertRefused(await shop.claimById(other, transaction.transactionId), 409, 'ERR_4012');
      const uuid = randomUUID();
      await shop.notify('ONE_TIME_CHARGE', transaction, { uuid });
      assert.equal(await shop.outcomeOf(uuid), 'foreign');
    },
  ],
  [
    'a refund of a deleted account’s purchase is booked, and tells nobody',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.people.call(guest.token, 'delete-account', {});
      await shop.people.app.drain();
      await shop.notify('REFUND', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), 0);
      assert.deepEqual(await shop.people.rows('select * from user_events where user_id = $1', [guest.id]), []);
    },
  ],
  [
    'twenty reports at once, by id and signed, with the notification beside them, credit once',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought({ appAccountToken: guest.id });
      const reports = Array.from({ length: 20 }, (_, index) =>
        index % 2 ? shop.claimById(guest, transaction.transactionId) : shop.claimSigned(guest, transaction),
      );
      await Promise.all([shop.notify('ONE_TIME_CHARGE', transaction), ...reports]);
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'ten guests at once for a purchase that names none: one has it',
    async (shop) => {
      const guests = await Promise.all(Array.from({ length: 10 }, () => shop.guest()));
      const { transactionId } = shop.bought();
      const answers = await Promise.all(guests.map((guest) => shop.claimById(guest, transactionId)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(9).fill(409)]);
    },
  ],
  [
    'a report, a refund and a merge at once leave one whole state',
    async (shop) => {
      for (let round = 0; round < 5; round += 1) {
        const [survivor, guest] = [await shop.guest(5), await shop.guest(5)];
        const sub = newSub();
        await shop.people.merge(survivor.token, { sub });
        const transaction = shop.bought({ appAccountToken: guest.id });
        await Promise.all([
          shop.claimById(guest, transaction.transactionId),
          shop.people.merge(guest.token, { sub }),
          shop.notify('REFUND', transaction, { at: 1 }),
        ]);
        await shop.claimById(guest, transaction.transactionId);
        assert.equal(await shop.balance(survivor), 10);
      }
    },
  ],
];

export const LOTS: Scenario[] = [
  [
    'granted credits are spent before purchased ones, and Apple hears of the purchase’s own share',
    async (shop) => {
      const guest = await shop.guest();
      await shop.people.rows(`select add_credits($1, 5, 'promo_grant')`, [guest.id]);
      const { transactionId } = shop.bought();
      await shop.claimById(guest, transactionId);
      await shop.spend(guest, 8);
      await shop.notify('CONSUMPTION_REQUEST', { transactionId });
      assert.equal(toldShare(shop, transactionId), 30_000);
    },
  ],
  [
    'a running generation counts as spent, a failed one gives back to the same purchase',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const jobId = await shop.spend(guest, 4);
      await shop.notify('CONSUMPTION_REQUEST', transaction);
      assert.equal(toldShare(shop, transaction.transactionId), 40_000);
      await shop.failJob(jobId);
      await shop.notify('CONSUMPTION_REQUEST', transaction);
      assert.equal(toldShare(shop, transaction.transactionId), 0);
    },
  ],
  [
    'of two purchases the older is spent first, each with its own share',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const second = shop.bought();
      await shop.claimById(guest, second.transactionId);
      await shop.spend(guest, 13);
      for (const each of [transaction, second]) await shop.notify('CONSUMPTION_REQUEST', each);
      assert.equal(toldShare(shop, transaction.transactionId), 100_000);
      assert.equal(toldShare(shop, second.transactionId), 30_000);
    },
  ],
  [
    'a refund and its reversal leave the spent share as it was',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.spend(guest, 4);
      await shop.notify('REFUND', transaction, { at: 1 });
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      await shop.notify('CONSUMPTION_REQUEST', transaction);
      assert.equal(toldShare(shop, transaction.transactionId), 40_000);
    },
  ],
  [
    'a purchase that was never credited was not delivered',
    async (shop) => {
      const transaction = shop.bought();
      await shop.notify('CONSUMPTION_REQUEST', transaction);
      const told = shop.store.consumptions.at(-1);
      assert.deepEqual(told, {
        transactionId: transaction.transactionId,
        body: {
          customerConsented: true,
          deliveryStatus: 'UNDELIVERED_SERVER_OUTAGE',
          sampleContentProvided: true,
          consumptionPercentage: 0,
        },
      });
    },
  ],
  [
    'granted credits expire with a row of their own, and are not spent afterwards',
    async (shop) => {
      const guest = await shop.guest();
      await shop.people.rows(`select add_credits($1, 5, 'promo_grant', p_expires_at => now() + interval '1 hour')`, [
        guest.id,
      ]);
      await shop.spend(guest, 2);
      await expire(shop, guest.id);
      const refusal = await shop.people.generate(guest.token, { settings: { duration: 1 } });
      assert.equal(refusal.status, 402);
      await shop.people.app.ctx.db.call('expire_due_lots', {});
      assert.equal(await shop.balance(guest), 0);
      assert.deepEqual(await shop.reasons(guest), ['promo_grant', 'video_generation', 'credits_expired']);
    },
  ],
  [
    'what comes back to an expired lot expires again at once',
    async (shop) => {
      const guest = await shop.guest();
      await shop.people.rows(`select add_credits($1, 5, 'promo_grant', p_expires_at => now() + interval '1 hour')`, [
        guest.id,
      ]);
      const jobId = await shop.spend(guest, 3);
      await expire(shop, guest.id);
      await shop.failJob(jobId);
      assert.equal(await shop.balance(guest), 0);
      assert.deepEqual(await shop.reasons(guest), [
        'promo_grant',
        'video_generation',
        'generation_failed_refund',
        'credits_expired',
      ]);
    },
  ],
  [
    'expiring credits are spent before lasting ones, and both before purchased ones',
    async (shop) => {
      const { guest } = await buyer(shop);
      await shop.people.rows(`select add_credits($1, 5, 'promo_grant')`, [guest.id]);
      await shop.people.rows(`select add_credits($1, 5, 'code_redeemed', p_expires_at => now() + interval '1 hour')`, [
        guest.id,
      ]);
      await shop.spend(guest, 7);
      const lots = await shop.people.rows('select source, remaining from credit_lots where user_id = $1 order by seq', [
        guest.id,
      ]);
      assert.deepEqual(lots, [
        { source: 'iap_purchase', remaining: 10 },
        { source: 'promo_grant', remaining: 3 },
        { source: 'code_redeemed', remaining: 0 },
      ]);
    },
  ],
];

async function expire({ people }: Shop, userId: string): Promise<void> {
  await people.rows(`update credit_lots set expires_at = now() - interval '1 s' where user_id = $1`, [userId]);
}
