/** What the simulated App Store tells a server, and when. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { APP_ID, appStoreIn, BUNDLE_ID, NOTIFICATIONS_URL, PRODUCT, START_MS } from '../support/simulated-app-store.ts';

test('a purchase is told at once, with the transaction, to the server’s URL', async (t) => {
  const { store, inbox } = await appStoreIn(t);
  const { transactionId, signedTransaction, statuses } = await store.buy({ productId: PRODUCT });
  assert.deepEqual([statuses, inbox.urls], [[200], [NOTIFICATIONS_URL]]);
  const [{ transaction, data, signedDate, notificationUUID, ...rest } = assert.fail()] = inbox.received();
  assert.deepEqual(rest, { notificationType: 'ONE_TIME_CHARGE', version: '2.0' });
  const { signedTransactionInfo: _, ...members } = data;
  assert.deepEqual(members, { bundleId: BUNDLE_ID, bundleVersion: '1', environment: 'Sandbox' });
  assert.deepEqual(
    [transaction?.transactionId, decodeJwt(signedTransaction).transactionId],
    [transactionId, transactionId],
  );
  assert.ok(signedDate > START_MS && /^[0-9a-f-]{36}$/.test(notificationUUID));
  await store.buy({ productId: PRODUCT, environment: 'Production' });
  assert.deepEqual(inbox.received()[1]?.data.appAppleId, APP_ID);
});

test('a refund is whole or of a part, grows, and is reversed; the transaction says so each time', async (t) => {
  const { store, inbox } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const revocation = () => {
    const { notificationType, transaction } = inbox.received().at(-1) ?? assert.fail();
    const { revocationType, revocationPercentage, revocationReason, revocationDate } = transaction ?? {};
    return [notificationType, revocationType, revocationPercentage, revocationReason, typeof revocationDate];
  };
  await store.refund(transactionId, { percentage: 33.333, reason: 1 });
  assert.deepEqual(revocation(), ['REFUND', 'REFUND_PRORATED', 33_333, 1, 'number']);
  await assert.rejects(store.refund(transactionId, { percentage: 33.333 }), /33\.333 % of \d+ is revoked already/);
  await store.refund(transactionId);
  assert.deepEqual(revocation(), ['REFUND', 'REFUND_FULL', 100_000, 0, 'number']);
  await store.reverseRefund(transactionId);
  assert.deepEqual(revocation(), ['REFUND_REVERSED', undefined, undefined, undefined, 'undefined']);
  await assert.rejects(store.reverseRefund(transactionId), /is not refunded/);
  await store.revoke(transactionId);
  assert.deepEqual(revocation(), ['REVOKE', 'FAMILY_REVOKE', 100_000, 0, 'number']);
  await assert.rejects(store.revoke(transactionId), /is revoked already/);
  await assert.rejects(store.reverseRefund(transactionId), /is not refunded/);
  for (const percentage of [0, -1, 100.001, Number.NaN])
    await assert.rejects(store.refund(transactionId, { percentage }), /more than 0 and at most 100 percent/);
  await assert.rejects(store.refund('2000099999999999'), /there is no simulated transaction/);
});

test('what happens later is signed later, also where the clock stands still', async (t) => {
  const { store, inbox } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  for (let i = 0; i < 5; i += 1) {
    await store.refund(transactionId);
    await store.reverseRefund(transactionId);
  }
  const dates = inbox.received().map(({ signedDate }) => signedDate);
  assert.deepEqual(
    dates,
    [...new Set(dates)].sort((a, b) => a - b),
  );
});

test('a refund that was asked for, a declined one and a test change nothing; unknown types can be sent', async (t) => {
  const { store, inbox } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const before = await store.transactions();
  await store.askForConsumption(transactionId, 'FULFILLMENT_ISSUE');
  await store.declineRefund(transactionId);
  await store.sendTest('Production');
  await store.notify({ type: 'SOMETHING_NEW', subtype: 'OTHER', transactionId });
  assert.deepEqual(await store.transactions(), before);
  const [, asked, declined, tested, unknown] = inbox.received();
  assert.deepEqual(
    [asked?.notificationType, asked?.data.consumptionRequestReason],
    ['CONSUMPTION_REQUEST', 'FULFILLMENT_ISSUE'],
  );
  assert.deepEqual(
    [declined?.notificationType, declined?.transaction?.transactionId],
    ['REFUND_DECLINED', transactionId],
  );
  assert.deepEqual(
    [tested?.notificationType, tested?.data.environment, tested?.transaction],
    ['TEST', 'Production', null],
  );
  assert.deepEqual([unknown?.notificationType, unknown?.subtype], ['SOMETHING_NEW', 'OTHER']);
});

test('a notification that is not accepted is sent again, five times at most, always the same', async (t) => {
  const { store, inbox, world } = await appStoreIn(t);
  store.setNotificationRetryMs(0);
  inbox.answer(503, 0, 302, 206);
  assert.deepEqual((await store.buy({ productId: PRODUCT })).statuses, [503]);
  await inbox.atLeast(4);
  assert.equal(new Set(inbox.payloads).size, 1);
  inbox.answer(...Array.from({ length: 20 }, () => 500));
  await store.sendTest();
  await inbox.atLeast(4 + 6);
  // Time for a seventh try, which would follow at once.
  for (let i = 0; i < 50; i += 1) await store.notifications();
  await world.close();
  const [accepted, refused] = await store.notifications();
  assert.deepEqual(
    accepted?.attempts.map(({ status, sendAttemptResult }) => [status, sendAttemptResult]),
    [
      [503, 'UNSUCCESSFUL_HTTP_RESPONSE_CODE'],
      [null, 'NO_RESPONSE'],
      [302, 'UNSUCCESSFUL_HTTP_RESPONSE_CODE'],
      [206, 'SUCCESS'],
    ],
  );
  assert.equal(refused?.attempts.length, 6);
  assert.equal(inbox.payloads.length, 4 + 6);
});

test('the next notifications get lost, arrive twice or late as planned, and then as usual', async (t) => {
  const { store, inbox } = await appStoreIn(t);
  store.planDelivery({ isLost: true, times: 2 });
  store.planDelivery({ copies: 3 });
  store.planDelivery({ delayMs: 1 });
  const { transactionId, statuses } = await store.buy({ productId: PRODUCT });
  assert.deepEqual([statuses, (await store.refund(transactionId)).statuses, inbox.payloads], [[], [], []]);
  assert.deepEqual((await store.reverseRefund(transactionId)).statuses, [200, 200, 200]);
  assert.deepEqual([inbox.payloads.length, new Set(inbox.payloads).size], [3, 1]);
  assert.deepEqual((await store.refund(transactionId)).statuses, [], 'who refunds does not wait');
  await inbox.atLeast(4);
  assert.deepEqual((await store.sendTest()).statuses, [200]);
  store.planDelivery({ isLost: true, times: 100 });
  store.clearDeliveryPlans();
  assert.deepEqual((await store.sendTest()).statuses, [200]);
  assert.deepEqual((await store.notifications()).length, 6, 'the history has all of them');
});

test('closing ends the wait for a late notification and for the next try', async (t) => {
  const { store, inbox, world } = await appStoreIn(t);
  store.setNotificationRetryMs(600_000);
  inbox.answer(503);
  await store.buy({ productId: PRODUCT });
  store.planDelivery({ delayMs: 600_000 });
  await store.buy({ productId: PRODUCT });
  await world.close();
  assert.equal(inbox.payloads.length, 1);
});

test('without a server nothing is told, and purchases work', async (t) => {
  const { store, inbox } = await appStoreIn(t, { notificationsUrl: () => null });
  const { transactionId, statuses } = await store.buy({ productId: PRODUCT });
  assert.deepEqual([statuses, inbox.payloads, await store.notifications()], [[], [], []]);
  store.setNotificationsUrl('http://elsewhere.test/notifications');
  await store.refund(transactionId);
  assert.deepEqual(inbox.urls, ['http://elsewhere.test/notifications']);
});

test('purchases, notifications, the key and the root survive a restart, and are shared by worlds over one folder', async (t) => {
  const one = await appStoreIn(t);
  const { transactionId } = await one.store.buy({ productId: PRODUCT, appAccountToken: randomUUID() });
  const other = await appStoreIn(t, { dataDir: one.dataDir });
  await other.store.refund(transactionId, { percentage: 50 });
  await one.world.close();
  const restarted = await appStoreIn(t, { dataDir: one.dataDir });
  assert.deepEqual(restarted.appStore.credentials, one.appStore.credentials);
  assert.deepEqual(await restarted.appStore.roots(), await one.appStore.roots());
  assert.deepEqual(await restarted.store.transactions(), await other.store.transactions());
  assert.equal((await restarted.store.transactions())[0]?.revocation?.percentage, 50_000);
  const told = (await restarted.store.notifications()).map(({ type, attempts }) => [type, attempts.length]);
  assert.deepEqual(told.sort(), [
    ['ONE_TIME_CHARGE', 1],
    ['REFUND', 1],
  ]);
});
