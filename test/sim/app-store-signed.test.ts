/** Apple's own library, unmodified, in front of the simulated App Store. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  APIError,
  APIException,
  AppStoreServerAPIClient,
  DeliveryStatus,
  Environment,
  GetTransactionHistoryVersion,
  RefundPreference,
  SignedDataVerifier,
  VerificationException,
  VerificationStatus,
} from '@apple/app-store-server-library';
import { decodeProtectedHeader } from 'jose';
import { withAppStoreControls } from '../../sim/app-store/controls.ts';
import type { AppStoreSimulator } from '../../sim/app-store.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { APP_ID, appStoreIn, BUNDLE_ID, PRODUCT } from '../support/simulated-app-store.ts';

async function verifierOf({ roots }: AppStoreSimulator, environment: Environment, bundleId = BUNDLE_ID) {
  return new SignedDataVerifier(
    (await roots()).map((root) => Buffer.from(root)),
    false,
    environment,
    bundleId,
    APP_ID,
  );
}

/** The library's clients of both hosts, which a port of this machine stands for. */
async function clientsOf(t: TestContext, appStore: AppStoreSimulator) {
  const { url, close } = await serveSimulator(withAppStoreControls(appStore));
  t.after(close);
  const { privateKeyPem, keyId, issuerId } = appStore.credentials;
  const clientAt = (environment: Environment, path: string) => {
    const client = new AppStoreServerAPIClient(privateKeyPem, keyId, issuerId, BUNDLE_ID, environment);
    // The library has no other way to reach another host.
    assert.ok(Reflect.set(client, 'urlBase', `${url}/${path}`));
    return client;
  };
  return {
    production: clientAt(Environment.PRODUCTION, 'production'),
    sandbox: clientAt(Environment.SANDBOX, 'sandbox'),
  };
}

const rejectsWith = (work: Promise<unknown>, status: VerificationStatus) =>
  assert.rejects(work, (error) => error instanceof VerificationException && error.status === status);
const isApiError = (code: APIError | null, status: number) => (error: unknown) =>
  error instanceof APIException && error.apiError === code && error.httpStatusCode === status;

test('Apple’s library verifies the transactions and notifications of both environments', async (t) => {
  const { appStore, store, inbox } = await appStoreIn(t);
  for (const environment of [Environment.SANDBOX, Environment.PRODUCTION] as const) {
    const verifier = await verifierOf(appStore, environment);
    const { transactionId, signedTransaction } = await store.buy({ productId: PRODUCT, quantity: 2, environment });
    const transaction = await verifier.verifyAndDecodeTransaction(signedTransaction);
    assert.deepEqual(
      [transaction.transactionId, transaction.productId, transaction.quantity, transaction.type],
      [transactionId, PRODUCT, 2, 'Consumable'],
    );
    const notification = await verifier.verifyAndDecodeNotification(inbox.payloads.at(-1) ?? '');
    assert.deepEqual([notification.notificationType, notification.version], ['ONE_TIME_CHARGE', '2.0']);
    const inside = await verifier.verifyAndDecodeTransaction(notification.data?.signedTransactionInfo ?? '');
    assert.equal(inside.transactionId, transactionId);
    await store.sendTest(environment);
    const tested = await verifier.verifyAndDecodeNotification(inbox.payloads.at(-1) ?? '');
    assert.deepEqual([tested.notificationType, tested.data?.signedTransactionInfo], ['TEST', undefined]);
  }
});

test('it refuses them altered, for another app, in another environment, and under another simulator’s root', async (t) => {
  const [{ appStore, store }, other] = [await appStoreIn(t), await appStoreIn(t)];
  const { signedTransaction } = await store.buy({ productId: PRODUCT });
  const verifier = await verifierOf(appStore, Environment.SANDBOX);
  const [header, , signature] = signedTransaction.split('.');
  const payload = Buffer.from(JSON.stringify({ bundleId: BUNDLE_ID, environment: 'Sandbox', quantity: 10 }));
  const altered = [header, payload.toString('base64url'), signature].join('.');
  await rejectsWith(verifier.verifyAndDecodeTransaction(altered), VerificationStatus.VERIFICATION_FAILURE);
  for (const [refusing, status] of [
    [await verifierOf(appStore, Environment.SANDBOX, 'com.example.other'), VerificationStatus.INVALID_APP_IDENTIFIER],
    [await verifierOf(appStore, Environment.PRODUCTION), VerificationStatus.INVALID_ENVIRONMENT],
    [await verifierOf(other.appStore, Environment.SANDBOX), VerificationStatus.VERIFICATION_FAILURE],
  ] as const)
    await rejectsWith(refusing.verifyAndDecodeTransaction(signedTransaction), status);
});

test('the chain is a root, an intermediate authority with Apple’s mark, and a leaf with Apple’s other mark', async (t) => {
  const { appStore, store } = await appStoreIn(t);
  const { signedTransaction } = await store.buy({ productId: PRODUCT });
  const { alg, x5c = [] } = decodeProtectedHeader(signedTransaction);
  const [leaf, intermediate, root] = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
  assert.ok(leaf && intermediate && root && x5c.length === 3 && alg === 'ES256');
  assert.deepEqual([leaf.ca, intermediate.ca, root.ca], [false, true, true]);
  assert.ok(leaf.verify(intermediate.publicKey) && intermediate.verify(root.publicKey) && root.verify(root.publicKey));
  assert.deepEqual([leaf.issuer, intermediate.issuer, root.issuer], [intermediate.subject, root.subject, root.subject]);
  assert.ok((await appStore.roots()).every((der) => root.raw.equals(der)));
  // OID and value, as DER has them: an octet string that holds NULL.
  assert.ok(leaf.raw.toString('hex').includes('060a2a864886f76364060b01' + '04020500'));
  assert.ok(intermediate.raw.toString('hex').includes('060a2a864886f76364060201' + '04020500'));
  for (const { publicKey } of [leaf, intermediate, root])
    assert.equal(publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

test('Apple’s API client gets transactions, histories and refunds, and sends consumption information', async (t) => {
  const { appStore, store } = await appStoreIn(t, { clock: systemClock });
  const { production, sandbox } = await clientsOf(t, appStore);
  const verifier = await verifierOf(appStore, Environment.SANDBOX);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  await store.refund(transactionId, { percentage: 50 });
  const { signedTransactionInfo = '' } = await sandbox.getTransactionInfo(transactionId);
  const { revocationType, revocationPercentage } = await verifier.verifyAndDecodeTransaction(signedTransactionInfo);
  assert.deepEqual([revocationType, revocationPercentage], ['REFUND_PRORATED', 50_000]);
  await assert.rejects(
    production.getTransactionInfo(transactionId),
    isApiError(APIError.TRANSACTION_ID_NOT_FOUND, 404),
  );
  const history = await sandbox.getTransactionHistory(transactionId, null, {}, GetTransactionHistoryVersion.V2);
  assert.deepEqual([history.hasMore, history.environment, history.bundleId], [false, 'Sandbox', BUNDLE_ID]);
  assert.equal((await sandbox.getRefundHistory(transactionId, null)).signedTransactions?.length, 1);
  await sandbox.sendConsumptionInformation(transactionId, {
    customerConsented: true,
    deliveryStatus: DeliveryStatus.DELIVERED,
    sampleContentProvided: false,
    consumptionPercentage: 40_000,
    refundPreference: RefundPreference.GRANT_PRORATED,
  });
  assert.equal((await store.consumption()).length, 1);
});

test('Apple’s API client gets the history of notifications, and asks for a test of them', async (t) => {
  const { appStore, store, inbox } = await appStoreIn(t, { clock: systemClock });
  const { sandbox, production } = await clientsOf(t, appStore);
  await store.buy({ productId: PRODUCT });
  const { testNotificationToken = '' } = await sandbox.requestTestNotification();
  await inbox.atLeast(2);
  const now = Date.now();
  const range = { startDate: now - 60_000, endDate: now + 60_000 };
  const { notificationHistory = [], hasMore } = await sandbox.getNotificationHistory(null, range);
  assert.equal(hasMore, false);
  assert.deepEqual(notificationHistory.map(({ signedPayload }) => signedPayload).slice(0, 1), [inbox.payloads[0]]);
  assert.equal(notificationHistory[0]?.sendAttempts?.[0]?.sendAttemptResult, 'SUCCESS');
  await assert.rejects(
    production.getTestNotificationStatus(testNotificationToken),
    isApiError(APIError.TEST_NOTIFICATION_NOT_FOUND, 404),
  );
  assert.equal((await production.getNotificationHistory(null, range)).notificationHistory?.length, 0);
});

test('Apple’s API client is refused with a 401 that is no JSON until the app is released', async (t) => {
  const { appStore, store } = await appStoreIn(t, { clock: systemClock });
  const { sandbox, production } = await clientsOf(t, appStore);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  store.setReleased(false);
  await assert.rejects(production.getTransactionInfo(transactionId), isApiError(null, 401));
  await sandbox.getTransactionInfo(transactionId);
  store.setReleased(true);
  await assert.rejects(
    production.getTransactionInfo(transactionId),
    isApiError(APIError.TRANSACTION_ID_NOT_FOUND, 404),
  );
});
