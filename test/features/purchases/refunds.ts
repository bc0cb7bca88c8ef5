/** Scenarios: refunds, reversals and their order. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { assertCredited, assertRefused, type Scenario, type Shop } from './shop.ts';

/** A guest who has bought ten credits; the purchase. */
async function buyer(shop: Shop, fields: object = {}) {
  const guest = await shop.guest();
  const transaction = shop.bought({ ...fields });
  assertCredited(await shop.claimById(guest, transaction.transactionId), 10, 10);
  return { guest, transaction };
}

const share = (percentage: number, left: number): Scenario => [
  `a refund of ${percentage / 1000} % takes back the whole credits of that share`,
  async (shop) => {
    const { guest, transaction } = await buyer(shop);
    await shop.notify('REFUND', transaction, { at: 1, percentage });
    assert.equal(await shop.balance(guest), left);
  },
];

export const REFUNDS: Scenario[] = [
  [
    'a refund takes back all, the lifetime total stays, and the owner’s repeat is a success',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      assert.equal(await shop.notify('REFUND', transaction, { at: 1 }), 200);
      assert.equal(await shop.balance(guest), 0);
      const [user] = await shop.people.rows('select credits_total from users where id = $1', [guest.id]);
      assert.equal(user?.credits_total, 10);
      assertCredited(await shop.claimById(guest, transaction.transactionId), 0, 0);
    },
  ],
  [
    'the same notification twice, and another about the same refund, take back once',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const uuid = randomUUID();
      for (const each of [uuid, uuid, randomUUID()]) await shop.notify('REFUND', transaction, { at: 1, uuid: each });
      assert.equal(await shop.balance(guest), 0);
      assert.deepEqual(await shop.reasons(guest), ['iap_purchase', 'apple_refund']);
    },
  ],
  share(1, 10),
  share(9_999, 10),
  share(10_000, 9),
  share(33_333, 7),
  share(50_000, 5),
  share(99_999, 1),
  share(100_000, 0),
  [
    'a later higher share takes the difference, a later lower one gives nothing back',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.notify('REFUND', transaction, { at: 1, percentage: 30_000 });
      assert.equal(await shop.balance(guest), 7);
      await shop.notify('REFUND', transaction, { at: 2, percentage: 80_000 });
      assert.equal(await shop.balance(guest), 2);
      await shop.notify('REFUND', transaction, { at: 3, percentage: 10_000 });
      assert.equal(await shop.balance(guest), 2);
    },
  ],
  [
    'a reversal gives back what was taken',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.notify('REFUND', transaction, { at: 1, percentage: 40_000 });
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      assert.equal(await shop.balance(guest), 10);
      assert.deepEqual(await shop.reasons(guest), ['iap_purchase', 'apple_refund', 'apple_refund_reversed']);
    },
  ],
  [
    'a reversal that arrives before its refund wins',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      await shop.notify('REFUND', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'refund, reversal, refund: the last decision counts, in any order of arrival',
    async (shop) => {
      const decisions = [
        ['REFUND', 1],
        ['REFUND_REVERSED', 2],
        ['REFUND', 3],
      ] as const;
      for (const order of [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
      ]) {
        const { guest, transaction } = await buyer(shop);
        for (const index of order) {
          const [type, at] = decisions[index] ?? decisions[0];
          await shop.notify(type, transaction, { at });
        }
        assert.equal(await shop.balance(guest), 0, order.join());
      }
    },
  ],
  [
    'a refund before the first claim: nobody is credited, not with an old copy either',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought();
      await shop.notify('REFUND', transaction, { at: 1 });
      assertRefused(await shop.claimSigned(guest, transaction), 400, 'ERR_4011', 'revoked');
      assertRefused(await shop.claimById(guest, transaction.transactionId), 400, 'ERR_4011', 'revoked');
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    'a refund before the first claim that is reversed: the purchase is credited once after all',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought();
      await shop.notify('REFUND', transaction, { at: 1 });
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      assertCredited(await shop.claimSigned(guest, transaction), 10, 10);
      assertCredited(await shop.claimSigned(guest, transaction), 0, 10);
    },
  ],
  [
    'such a reversal credits the account that the purchase names, without the app',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought({ appAccountToken: guest.id });
      await shop.notify('REFUND', transaction, { at: 1 });
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'the app’s copy that says refunded settles what a lost notification has not, once',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const revoked = { ...transaction, revocationDate: Date.UTC(2026, 0, 1), revocationPercentage: 50_000 };
      assertCredited(await shop.claimSigned(guest, revoked), 0, 5);
      await shop.notify('REFUND', transaction, { at: 1, percentage: 50_000 });
      assert.equal(await shop.balance(guest), 5);
    },
  ],
  [
    'an old copy that does not say refunded undoes no refund',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.notify('REFUND', transaction, { at: 1 });
      assertCredited(await shop.claimSigned(guest, transaction), 0, 0);
    },
  ],
  [
    'refunding spent credits makes a debt; generating waits for purchases that repay it',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.spend(guest, 7);
      await shop.notify('REFUND', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), -7);
      const refusal = await shop.people.generate(guest.token, { settings: { duration: 1 } });
      assert.deepEqual([refusal.status, refusal.body.error.code], [402, 'ERR_4001']);
      assertCredited(await shop.claimById(guest, shop.bought().transactionId), 10, 3);
      await shop.spend(guest, 3);
      assert.equal((await shop.people.generate(guest.token, { settings: { duration: 1 } })).status, 402);
    },
  ],
  [
    'buy, spend, refund and repeat never gives a video for nothing',
    async (shop) => {
      const guest = await shop.guest();
      let videos = 0;
      for (let round = 0; round < 6; round += 1) {
        const transaction = shop.bought();
        await shop.claimById(guest, transaction.transactionId);
        while ((await shop.people.generate(guest.token, { settings: { duration: 5 } })).status === 200) videos += 1;
        await shop.notify('REFUND', transaction, { at: round + 1 });
      }
      // Two videos of the first ten credits, and every later purchase only repaid them.
      assert.equal(videos, 2);
      assert.equal(await shop.balance(guest), -10);
    },
  ],
  [
    'a generation that fails after its credits were refunded repays the debt',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      const jobId = await shop.spend(guest, 10);
      await shop.notify('REFUND', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), -10);
      await shop.failJob(jobId);
      assert.equal(await shop.balance(guest), 0);
      await shop.notify('REFUND_REVERSED', transaction, { at: 2 });
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'a revocation takes back like a refund',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      await shop.notify('REVOKE', transaction, { at: 1 });
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    'a declined refund, a test and a type that nobody knows yet change nothing',
    async (shop) => {
      const { guest, transaction } = await buyer(shop);
      for (const type of ['REFUND_DECLINED', 'TEST', 'DID_SOMETHING_NEW'])
        assert.equal(await shop.notify(type, transaction, { at: 1 }), 200);
      assert.equal(await shop.balance(guest), 10);
    },
  ],
];
