/** Scenarios: what Apple may send on a bad day, and what is signed well and is unusual all the same. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { APP_ID, type NotificationFields } from '../../support/app-store.ts';
import { signWith } from '../../support/apple-chain.ts';
import { BUNDLE_ID } from '../../support/apple-id.ts';
import { assertCredited, assertRefused, type Scenario, type Shop } from './shop.ts';

/** Sends a notification of any form; returns the status, and the outcome once the worker is through. */
async function send(shop: Shop, fields: NotificationFields): Promise<[number, string | null]> {
  const uuid = randomUUID();
  const signedPayload = await shop.store.signNotification({ notificationUUID: uuid, ...fields });
  const { status } = await shop.people.call('', 'apple-server-notifications', { signedPayload });
  assert.deepEqual(await shop.people.app.drain(), []);
  return [status, await shop.outcomeOf(uuid)];
}

export const BAD_DAYS: Scenario[] = [
  [
    'a member that is null means the same as one that is left out',
    async (shop) => {
      const guest = await shop.guest();
      const absent = { appAccountToken: null, inAppOwnershipType: null, revocationDate: null, offerType: null };
      assertCredited(await shop.claimSigned(guest, { ...absent, price: null, currency: null }), 10, 10);
      const { transactionId } = shop.bought(absent);
      assertCredited(await shop.claimById(guest, transactionId), 10, 20);
      const refund = { transactionId, revocationDate: Date.now(), revocationPercentage: null };
      assert.deepEqual(await send(shop, { notificationType: 'REFUND', transaction: refund, subtype: null }), [
        200,
        'taken_back',
      ]);
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'values that nobody knows yet, in members that credits do not depend on, stop neither a purchase nor a refund',
    async (shop) => {
      const guest = await shop.guest();
      const unusual = { transactionReason: 7, storefront: {}, price: 'free', currency: 'dollars', offerType: 'NEW' };
      const { transactionId } = shop.bought({ ...unusual, purchaseDate: 'today' });
      assertCredited(await shop.claimById(guest, transactionId), 10, 10);
      const transaction = { transactionId, ...unusual, revocationDate: Date.now(), revocationReason: 'NEW' };
      const data = { consumptionRequestReason: 7, status: 'NEW', bundleVersion: 5 };
      assert.deepEqual(
        await send(shop, { notificationType: 'REFUND', subtype: 'two words', version: 3, transaction, data }),
        [200, 'taken_back'],
      );
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    'a signed notification whose transaction lacks what a purchase needs is recorded without effect',
    async (shop) => {
      const guest = await shop.guest(5);
      const mine = { appAccountToken: guest.id };
      for (const missing of ['transactionId', 'productId', 'type', 'signedDate']) {
        const transaction = { ...mine, [missing]: undefined };
        const recorded = [200, 'unusable_transaction'];
        assert.deepEqual(await send(shop, { notificationType: 'ONE_TIME_CHARGE', transaction }), recorded, missing);
        assert.deepEqual(await send(shop, { notificationType: 'REFUND', transaction }), recorded, missing);
      }
      assert.equal(await shop.balance(guest), 5);
    },
  ],
  [
    'a share that is none takes nothing back, and is recorded',
    async (shop) => {
      const guest = await shop.guest();
      const { transactionId } = shop.bought();
      assertCredited(await shop.claimById(guest, transactionId), 10, 10);
      for (const revocationPercentage of [-1, '50000', {}]) {
        const transaction = { transactionId, revocationDate: Date.now(), revocationPercentage };
        assert.deepEqual(await send(shop, { notificationType: 'REFUND', transaction }), [200, 'unusable_transaction']);
      }
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'a notification about no transaction, whatever stands in its place, is recorded without effect',
    async (shop) => {
      assert.deepEqual(await send(shop, { notificationType: 'REFUND', data: { signedTransactionInfo: null } }), [
        200,
        'no_transaction',
      ]);
      const summary = { bundleId: BUNDLE_ID, appAppleId: APP_ID, environment: 'Production' };
      const extension = { notificationType: 'RENEWAL_EXTENSION', notificationUUID: randomUUID(), data: null, summary };
      const signedPayload = await signWith(shop.store.chain, { ...extension, signedDate: Date.now() });
      const { status } = await shop.people.call('', 'apple-server-notifications', { signedPayload });
      assert.deepEqual([status, await shop.outcomeOf(extension.notificationUUID)], [200, 'ignored']);
    },
  ],
  [
    'of decisions that are dated days ahead the newest still counts',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought();
      assertCredited(await shop.claimById(guest, transaction.transactionId), 10, 10);
      const at = (days: number) => Date.now() + days * 86_400_000;
      const revoked = { ...transaction, revocationDate: Date.now() };
      const refund = (days: number) =>
        send(shop, { notificationType: 'REFUND', signedDate: at(days), transaction: revoked });
      assert.deepEqual(await refund(1), [200, 'taken_back']);
      const reversal = { notificationType: 'REFUND_REVERSED', signedDate: at(3), transaction };
      assert.deepEqual(await send(shop, reversal), [200, 'given_back']);
      assert.deepEqual(await refund(2), [200, 'outdated']);
      assert.equal(await shop.balance(guest), 10);
    },
  ],
  [
    'a purchase that an operator has given by hand is not given again: its owner is told so, others are refused',
    async (shop) => {
      const [owner, other, guest] = [await shop.guest(), await shop.guest(), await shop.guest()];
      const { transactionId } = shop.bought();
      await shop.people.rows(`select add_credits($1, 10, 'promo_grant', $2)`, [owner.id, transactionId]);
      assertCredited(await shop.claimById(owner, transactionId), 0, 10);
      assertRefused(await shop.claimById(other, transactionId), 409, 'ERR_4012');
      await shop.merge(guest, owner);
      assertCredited(await shop.claimById(guest, transactionId), 0, 10);
    },
  ],
];
