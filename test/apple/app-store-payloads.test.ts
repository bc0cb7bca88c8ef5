/** What is taken out of signed data, and which signed data is of no use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64url } from 'jose';
import { createAppStore } from '../../src/apple/app-store/app-store.ts';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import { createPortableVerifier } from '../../src/apple/app-store/portable-verifier.ts';
import { APP_ID, createTestAppStore, type Fields, type NotificationFields } from '../support/app-store.ts';
import { assembled, signWith } from '../support/apple-chain.ts';
import { BUNDLE_ID } from '../support/apple-id.ts';

const NOW = new Date('2026-11-29T12:00:00Z');
const NOW_MS = NOW.getTime();
const apple = await createTestAppStore({ clock: { now: () => NOW } });

function gateway(more: Partial<Parameters<typeof createAppStore>[0]> = {}) {
  return createAppStore({
    key: { keyId: 'K', issuerId: 'I', privateKey: '' },
    ...{ bundleId: BUNDLE_ID, appId: APP_ID, roots: apple.roots, urls: apple.urls, fetch: apple.fetch },
    ...{ createVerifier: createOfficialVerifier, clock: { now: () => NOW } },
    ...more,
  });
}

const transactionOf = async (fields: Fields) => gateway().verifyTransaction(await apple.signTransaction(fields));
const notificationOf = async (fields: NotificationFields) =>
  gateway().verifyNotification(await apple.signNotification(fields));

test('a transaction is given with all that Apple says of it', async () => {
  const verified = await transactionOf({
    ...{ transactionId: '2000000000000001', quantity: 3, appAccountToken: '7E3FB204-2EA1-4AA9-8C46-56F6E1B2D6B3' },
    ...{ revocationDate: NOW_MS - 5, revocationReason: 1, revocationPercentage: 50_000, environment: 'Sandbox' },
    ...{ purchaseDate: NOW_MS - 10, signedDate: NOW_MS - 1, price: 2990, currency: 'EUR' },
  });
  assert.deepEqual(verified, {
    outcome: 'valid',
    value: {
      ...{ environment: 'Sandbox', transactionId: '2000000000000001', productId: 'com.rendio.credits.10' },
      ...{ type: 'Consumable', quantity: 3, appAccountToken: '7E3FB204-2EA1-4AA9-8C46-56F6E1B2D6B3' },
      ...{ inAppOwnershipType: 'PURCHASED', purchasedAt: new Date(NOW_MS - 10), signedAt: new Date(NOW_MS - 1) },
      ...{ revokedAt: new Date(NOW_MS - 5), revocationPercentage: 50_000, priceMilliunits: 2990, currency: 'EUR' },
    },
  });
});

test('what Apple may leave out is null, and a quantity that is left out is one', async () => {
  const absent = { appAccountToken: undefined, inAppOwnershipType: undefined, price: undefined, currency: undefined };
  const verified = await transactionOf({ ...absent, quantity: undefined, purchaseDate: undefined });
  assert.ok(verified.outcome === 'valid');
  const { value } = verified;
  assert.equal(value.quantity, 1);
  for (const name of ['appAccountToken', 'inAppOwnershipType', 'priceMilliunits', 'currency', 'purchasedAt'] as const)
    assert.equal(value[name], null, name);
  assert.deepEqual([value.revokedAt, value.revocationPercentage], [null, null]);
});

test('a quantity that is none is null, so that nothing is credited for it', async () => {
  for (const quantity of [0, -1, 1.5, 1e300, '2', null]) {
    const verified = await transactionOf({ quantity });
    assert.ok(verified.outcome === 'valid');
    assert.equal(verified.value.quantity, null, String(quantity));
  }
});

test('a refunded share above the whole counts as the whole', async () => {
  const verified = await transactionOf({ revocationDate: NOW_MS, revocationPercentage: 100_001 });
  assert.ok(verified.outcome === 'valid');
  assert.equal(verified.value.revocationPercentage, 100_000);
});

test('a signed transaction without an id, a product, a type or a date is refused by name', async () => {
  const long = 'x'.repeat(300);
  const unusable: [string, unknown[]][] = [
    ['transactionId', [undefined, '', long, 'a b', 'a\u0000']],
    ['productId', [undefined, '', long, 'ünï']],
    ['type', [undefined, '', long]],
    ['signedDate', [undefined]],
    ['appAccountToken', ['', 'a\u0000b', long]],
  ];
  for (const [name, values] of unusable) {
    for (const value of values)
      assert.deepEqual(await transactionOf({ [name]: value }), {
        outcome: 'invalid',
        cause: `missing or wrong: ${name}`,
      });
  }
});

test('a member of another type than Apple’s is refused', async () => {
  for (const fields of [{ transactionId: 1 }, { productId: {} }, { type: 5 }, { revocationDate: 'x' }])
    assert.equal((await transactionOf(fields)).outcome, 'invalid', JSON.stringify(fields));
});

test('a date more than a week ahead of ours is refused: it would outdate all that Apple decides until then', async () => {
  const weekMs = 7 * 86_400_000;
  assert.equal((await transactionOf({ signedDate: NOW_MS + weekMs })).outcome, 'valid');
  const ahead = { outcome: 'invalid', cause: 'signed in the future' };
  assert.deepEqual(await transactionOf({ signedDate: NOW_MS + weekMs + 1 }), ahead);
  assert.deepEqual(await notificationOf({ signedDate: NOW_MS + weekMs + 1 }), ahead);
  const inner = await notificationOf({ transaction: { signedDate: NOW_MS + weekMs + 1 } });
  assert.deepEqual(inner, { outcome: 'invalid', cause: 'its transaction: signed in the future' });
});

test('a notification is given with its transaction', async () => {
  const transaction = { transactionId: '2000000000000002', environment: 'Sandbox' };
  const verified = await notificationOf({
    ...{ notificationType: 'CONSUMPTION_REQUEST', subtype: 'X', notificationUUID: 'u-1', signedDate: NOW_MS - 1 },
    ...{ transaction, data: { consumptionRequestReason: 'LEGAL' } },
  });
  assert.ok(verified.outcome === 'valid', JSON.stringify(verified));
  const { transaction: inner, ...rest } = verified.value;
  assert.deepEqual(rest, {
    ...{ notificationUuid: 'u-1', type: 'CONSUMPTION_REQUEST', subtype: 'X', environment: 'Sandbox' },
    ...{ signedAt: new Date(NOW_MS - 1), consumptionRequestReason: 'LEGAL', unusable: null },
  });
  assert.deepEqual([inner?.transactionId, inner?.environment], ['2000000000000002', 'Sandbox']);
});

test('a type that nobody knows yet is given as it stands', async () => {
  const verified = await notificationOf({ notificationType: 'BRAND_NEW', subtype: undefined });
  assert.ok(verified.outcome === 'valid');
  assert.deepEqual(
    [verified.value.type, verified.value.subtype, verified.value.transaction],
    ['BRAND_NEW', null, null],
  );
});

test('a good envelope does not carry a transaction that does not hold', async () => {
  const stranger = await createTestAppStore({ clock: { now: () => NOW } });
  const unverifiable: Record<string, Fields | string> = {
    'of a foreign root': await stranger.signTransaction(),
    'of another bundle': { bundleId: 'com.example.other' },
    'of another environment': await apple.signTransaction({ environment: 'Sandbox' }),
    'a word': 'signed_transaction_info_value',
    nothing: '',
  };
  for (const [name, transaction] of Object.entries(unverifiable)) {
    const verified = await notificationOf({ transaction });
    assert.ok(verified.outcome === 'invalid' && verified.cause.startsWith('its transaction: '), name);
  }
});

test('a good envelope with a signed transaction that is of no use says what it lacks', async () => {
  const verified = await notificationOf({ notificationType: 'REFUND', transaction: { productId: undefined, type: 5 } });
  assert.ok(verified.outcome === 'valid');
  const { transaction, unusable } = verified.value;
  assert.deepEqual([transaction, unusable], [null, 'missing or wrong: productId, type']);
});

test('what is new or null in a member that nothing depends on is no fault, in Apple’s library and in the portable one', async () => {
  const odd = { subtype: 5, version: null, data: { consumptionRequestReason: 'two words', status: 'x' } };
  for (const createVerifier of [createOfficialVerifier, createPortableVerifier]) {
    const store = gateway({ createVerifier });
    const jws = await apple.signTransaction({ appAccountToken: null, offerType: 'x', price: '1', storefront: 7 });
    assert.equal((await store.verifyTransaction(jws)).outcome, 'valid');
    const notification = await store.verifyNotification(await apple.signNotification(odd));
    assert.ok(notification.outcome === 'valid');
    const { subtype, consumptionRequestReason } = notification.value;
    assert.deepEqual([subtype, consumptionRequestReason], [null, null]);
  }
});

test('a date that is none is refused before the certificates are judged at it', async () => {
  const app = { environment: 'Production' as const, bundleId: BUNDLE_ID, appId: APP_ID };
  const tools = { roots: apple.roots, isOnline: false, ocspTimeoutMs: 1, fetch, clock: { now: () => NOW } };
  for (const createVerifier of [createOfficialVerifier, createPortableVerifier]) {
    const verifier = await createVerifier({ ...app, ...tools });
    for (const signedDate of [null, 'today', 1e300, {}]) {
      const { outcome } = await verifier.decode('transaction', await apple.signTransaction({ signedDate }));
      assert.equal(outcome, 'invalid', String(signedDate));
    }
  }
});

test('a notification without an id, a type or a date is refused by name', async () => {
  for (const name of ['notificationUUID', 'notificationType', 'signedDate'])
    assert.deepEqual(await notificationOf({ [name]: undefined }), {
      outcome: 'invalid',
      cause: `missing or wrong: ${name}`,
    });
});

test('the environment that the data names chooses between two, and neither is Xcode’s', async () => {
  for (const environment of ['Production', 'Sandbox']) {
    const verified = await transactionOf({ environment });
    assert.ok(verified.outcome === 'valid');
    assert.equal(verified.value.environment, environment);
  }
  for (const environment of ['Xcode', 'LocalTesting', 'production', undefined])
    assert.deepEqual(await transactionOf({ environment }), { outcome: 'invalid', cause: 'INVALID_ENVIRONMENT' });
});

test('without an app id nothing of production is accepted, and the sandbox works', async () => {
  const store = gateway({ appId: null });
  const refused = { outcome: 'invalid', cause: 'no app id is configured' };
  assert.deepEqual(await store.verifyTransaction(await apple.signTransaction()), refused);
  assert.deepEqual(await store.verifyNotification(await apple.signNotification()), refused);
  const sandbox = await apple.signTransaction({ environment: 'Sandbox' });
  assert.equal((await store.verifyTransaction(sandbox)).outcome, 'valid');
});

test('nothing is verified that cannot be of Apple: other algorithms, other texts, more than 100,000 characters', async () => {
  const { chain } = apple;
  const payload = { bundleId: BUNDLE_ID, environment: 'Production', signedDate: NOW_MS };
  const good = await signWith(chain, payload);
  const causes: [string, string][] = [
    [assembled({ alg: 'none' }, payload), 'no JWS'],
    [assembled({ alg: 'none' }, payload, 'AAAA'), 'not signed with ES256'],
    [assembled({ alg: 'HS256' }, payload, 'AAAA'), 'not signed with ES256'],
    [assembled({ alg: 'ES384' }, payload, 'AAAA'), 'not signed with ES256'],
    [assembled({ alg: 'ES256', crit: ['exp'] }, payload, 'AAAA'), 'critical header'],
    // Strangers could have the server read certificates of any size.
    [assembled({ alg: 'ES256', x5c: ['A', 'B'.repeat(4_001), 'C'] }, payload, 'AAAA'), 'certificates too large'],
    [assembled({ alg: 'ES256', x5c: [['B'.repeat(4_001)], 'B', 'C'] }, payload, 'AAAA'), 'certificates too large'],
    [assembled([], payload, 'AAAA'), 'no JWS'],
    [assembled({ alg: 'ES256' }, [payload], 'AAAA'), 'no JWS'],
    [`${good} `, 'no JWS'],
    [`${good}=`, 'no JWS'],
    [`${good}.${good}`, 'no JWS'],
    [`${base64url.encode('{}')}.${base64url.encode('no json')}.AAAA`, 'no JWS'],
    [`${base64url.encode('null')}.${base64url.encode('null')}.AAAA`, 'no JWS'],
    [`e30.${'A'.repeat(100_000)}.AAAA`, 'too long'],
  ];
  const createVerifier = () => assert.fail('no verifier is needed');
  const store = gateway({ createVerifier });
  for (const [text, cause] of causes) {
    assert.deepEqual(await store.verifyTransaction(text), { outcome: 'invalid', cause }, text.slice(0, 100));
    assert.deepEqual(await store.verifyNotification(text), { outcome: 'invalid', cause }, text.slice(0, 100));
  }
});

test('random damage to a signed text never passes and never throws', async () => {
  const good = await apple.signTransaction();
  for (const createVerifier of [createOfficialVerifier, createPortableVerifier]) {
    const store = gateway({ createVerifier });
    // Not the last character: some of its bits are no part of the signature.
    for (let at = 0; at < good.length - 1; at += 97) {
      const damaged = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      assert.equal((await store.verifyTransaction(damaged)).outcome, 'invalid', `at ${at}`);
    }
  }
});

test('a verifier that could not be made is made again at the next call', async () => {
  let calls = 0;
  const store = gateway({
    createVerifier: async (options) => {
      calls += 1;
      if (calls === 1) throw new Error('not now');
      return createOfficialVerifier(options);
    },
  });
  const jws = await apple.signTransaction();
  await assert.rejects(store.verifyTransaction(jws), /not now/);
  assert.equal((await store.verifyTransaction(jws)).outcome, 'valid');
  assert.equal((await store.verifyTransaction(jws)).outcome, 'valid');
  assert.equal(calls, 2);
});
