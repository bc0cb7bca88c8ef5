/** What never arrived is found in the App Store's history, and processed as if it had. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { healPurchases } from '../../../src/features/purchases/worker/heal.ts';
import { DAY_MS, openShop, type Shop } from './shop.ts';

const never = new AbortController().signal;

describe('the walk through the App Store’s history', () => {
  let shop: Shop;
  before(async () => {
    shop = await openShop();
  });
  after(() => shop[Symbol.asyncDispose]());

  const heal = () => healPurchases(shop.people.app.ctx, 7, never);
  const drain = async () => assert.deepEqual(await shop.people.app.drain(), []);

  it('finds nothing where nothing is, and asks both environments', async () => {
    assert.deepEqual(await heal(), { notifications: 0, recorded: 0, transactions: 0, credited: 0 });
    assert.ok(shop.store.calls.some(({ url }) => url.origin === shop.store.urls.production));
    assert.ok(shop.store.calls.some(({ url }) => url.origin === shop.store.urls.sandbox));
  });

  it('credits and takes back what lost notifications said, once, over several pages', async () => {
    const [buyer, refunded] = [await shop.guest(), await shop.guest()];
    const lost = shop.bought({ appAccountToken: buyer.id });
    const spent = shop.bought();
    await shop.claimById(refunded, spent.transactionId);
    for (let filler = 0; filler < 45; filler += 1) {
      shop.store.notifications.push({ notificationType: 'TEST', notificationUUID: randomUUID() });
    }
    shop.store.notifications.push(
      { notificationType: 'ONE_TIME_CHARGE', notificationUUID: randomUUID(), transaction: lost },
      {
        ...{ notificationType: 'REFUND', notificationUUID: randomUUID(), signedDate: DAY_MS },
        transaction: { ...spent, revocationDate: DAY_MS, revocationPercentage: 50_000 },
      },
    );
    const { notifications, recorded } = await heal();
    assert.deepEqual([notifications, recorded], [47, 47]);
    await drain();
    assert.deepEqual([await shop.balance(buyer), await shop.balance(refunded)], [10, 5]);
    assert.equal((await heal()).recorded, 0);
    await drain();
    assert.deepEqual([await shop.balance(buyer), await shop.balance(refunded)], [10, 5]);
    await shop.people.assertUnbroken();
  });

  it('credits what a customer has bought and nobody told, to the account that it names', async () => {
    const guest = await shop.guest();
    await shop.claimById(guest, shop.bought().transactionId);
    shop.bought({ appAccountToken: guest.id });
    shop.bought({ appAccountToken: guest.id, environment: 'Sandbox' });
    await heal();
    // The sandbox is asked about customers who have bought there.
    assert.equal(await shop.balance(guest), 20);
    await shop.people.assertUnbroken();
  });

  it('fails while Apple cannot be asked, so that the queue tries again', async () => {
    shop.store.setFault(() => new Response('busy', { status: 503 }));
    await assert.rejects(heal());
    shop.store.setFault((request) =>
      new URL(request.url).origin === shop.store.urls.production ? new Response('no', { status: 401 }) : undefined,
    );
    await assert.rejects(heal(), 'production was bought in: the key is wrong');
    shop.store.setFault(null);
    await heal();
  });

  it('skips a production that refuses every key, as before the app’s first release', async () => {
    await using fresh = await openShop();
    fresh.store.setFault((request) =>
      new URL(request.url).origin === fresh.store.urls.production ? new Response('no', { status: 401 }) : undefined,
    );
    const guest = await fresh.guest();
    const transaction = { ...fresh.bought({ appAccountToken: guest.id }), environment: 'Sandbox' };
    fresh.store.notifications.push({
      ...{ notificationType: 'ONE_TIME_CHARGE', notificationUUID: randomUUID(), transaction },
    });
    await healPurchases(fresh.people.app.ctx, 7, never);
    await fresh.people.app.drain();
    assert.equal(await fresh.balance(guest), 10);
  });
});
