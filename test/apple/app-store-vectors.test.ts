/** Apple's published mock certificates and signed data give the outcomes that Apple's own tests expect. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { SignedDataVerifier } from '@apple/app-store-server-library';
import { createAppStore } from '../../src/apple/app-store/app-store.ts';
import { APPLE_ROOT_CA_G3 } from '../../src/apple/app-store/apple-root-ca-g3.ts';
import { parseCertificate } from '../../src/apple/app-store/certificate.ts';
import { chainIn, judgeChain } from '../../src/apple/app-store/chain.ts';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import { createPortableVerifier } from '../../src/apple/app-store/portable-verifier.ts';
import type { CreateVerifier, Decoded } from '../../src/apple/app-store/signed-data.ts';
import { createTestAppStore } from '../support/app-store.ts';
import { makeChain, signWith } from '../support/apple-chain.ts';
import { optionsOf } from './support/case.ts';
import { chainCases, MOCK, vectorCases, vectorDer, vectorModel, vectorText } from './support/vectors.ts';

const VERIFIERS = { 'Apple’s library': createOfficialVerifier, 'the portable verifier': createPortableVerifier };
const outcomeOf = (decoded: Decoded) => (decoded.outcome === 'invalid' ? decoded.cause : decoded.outcome);

for (const [name, createVerifier] of Object.entries(VERIFIERS)) {
  test(`${name} judges Apple’s signed data as Apple’s tests do`, async () => {
    for (const given of vectorCases()) {
      const decoded = await (await createVerifier(optionsOf(given))).decode(given.kind, given.jws);
      assert.equal(outcomeOf(decoded), given.expected, given.name);
    }
  });

  test(`${name} cannot be made with a root that is no certificate`, async () => {
    const [given] = vectorCases();
    assert.ok(given);
    await assert.rejects(async () => createVerifier({ ...optionsOf(given), roots: [Buffer.from('abc')] }));
  });

  test(`${name} decodes the notification that Apple has signed`, async () => {
    const given = vectorCases().find(({ expected }) => expected === 'valid');
    assert.ok(given);
    const decoded = await (await createVerifier(optionsOf(given))).decode(given.kind, given.jws);
    assert.ok(decoded.outcome === 'valid');
    assert.equal(Object(decoded.payload).notificationType, 'TEST');
  });
}

test('the portable checks judge Apple’s chains as Apple’s tests do', () => {
  for (const { name, x5c, roots, nowMs, expected } of chainCases()) {
    const chain = chainIn(x5c);
    assert.ok(chain, name);
    const trusted = roots.map((root) => parseCertificate(Buffer.from(root, 'base64')));
    const judged = judgeChain(chain, trusted, new Date(nowMs));
    assert.equal('fault' in judged ? judged.fault : 'valid', expected, name);
  }
});

test('Apple’s library judges these chains in the same way', async () => {
  class Open extends SignedDataVerifier {
    judge(x5c: string[], roots: string[], at: Date) {
      const [leaf, intermediate, ...trusted] = [...x5c.slice(0, 2), ...roots].map(
        (text) => new X509Certificate(Buffer.from(text, 'base64')),
      );
      assert.ok(leaf && intermediate);
      return this.verifyCertificateChain(trusted, leaf, intermediate, at);
    }
  }
  const verifier = new Open([], false, 'Sandbox' as never, 'com.example');
  for (const { name, x5c, roots, nowMs, expected } of chainCases()) {
    const judged = await verifier.judge(x5c, roots, new Date(nowMs)).then(
      () => 'valid',
      ({ status }) => ({ 1: 'VERIFICATION_FAILURE', 6: 'INVALID_CERTIFICATE' })[status as 1],
    );
    assert.equal(judged, expected, name);
  }
});

test('without roots of its own the gateway trusts exactly the Apple Root CA G3', () => {
  assert.equal(
    createHash('sha256').update(APPLE_ROOT_CA_G3).digest('hex'),
    '63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179',
  );
  assert.deepEqual(Buffer.from(APPLE_ROOT_CA_G3), vectorDer('chain/apple-root-ca-g3'));
});

const nobody: typeof fetch = () => assert.fail('nothing is asked');
const gateway = (settings: Partial<Parameters<typeof createAppStore>[0]> = {}) =>
  createAppStore({
    key: { keyId: 'K', issuerId: 'I', privateKey: '' },
    ...{ bundleId: MOCK.bundleId, appId: MOCK.appId, roots: [vectorDer('testCA')] },
    urls: { production: 'https://p.test', sandbox: 'https://s.test' },
    ...{ createVerifier: createOfficialVerifier, fetch: nobody, clock: { now: () => new Date(MOCK.nowMs) } },
    ...settings,
  });

test('the gateway takes Apple’s test notification, and refuses everything else that Apple publishes', async () => {
  for (const createVerifier of Object.values(VERIFIERS)) {
    const store = gateway({ createVerifier });
    const notification = await store.verifyNotification(vectorText('mock_signed_data/testNotification'));
    assert.ok(notification.outcome === 'valid');
    const { type, environment, transaction } = notification.value;
    assert.deepEqual([type, environment, transaction], ['TEST', 'Sandbox', null]);
    // It is signed, and says nothing of what a purchase is.
    const bare = await store.verifyTransaction(vectorText('mock_signed_data/transactionInfo'));
    assert.deepEqual(bare, { outcome: 'invalid', cause: 'missing or wrong: transactionId, productId, type' });
    for (const name of ['wrongBundleId', 'missingX5CHeaderClaim', 'transactionInfo', 'renewalInfo']) {
      const refused = await store.verifyNotification(vectorText(`mock_signed_data/${name}`));
      assert.equal(refused.outcome, 'invalid', name);
    }
    for (const name of ['xcode/xcode-signed-transaction', 'xcode/xcode-signed-renewal-info']) {
      assert.equal((await store.verifyTransaction(vectorText(name))).outcome, 'invalid', name);
    }
    for (const text of ['', '.', 'a.b.c', 'a.b.c.d']) {
      assert.equal((await store.verifyTransaction(text)).outcome, 'invalid', text);
      assert.equal((await store.verifyNotification(text)).outcome, 'invalid', text);
    }
  }
});

test('certificates are checked online under Apple’s own root, and under no other', async () => {
  const made: [environment: string, isOnline: boolean, roots: readonly Uint8Array[]][] = [];
  const createVerifier: CreateVerifier = async (options) => {
    made.push([options.environment, options.isOnline, options.roots]);
    return createOfficialVerifier(options);
  };
  const jws = vectorText('mock_signed_data/transactionInfo');
  await gateway({ roots: null, createVerifier }).verifyTransaction(jws);
  await gateway({ createVerifier }).verifyTransaction(jws);
  assert.deepEqual(made, [
    ['Sandbox', true, [APPLE_ROOT_CA_G3]],
    ['Sandbox', false, [vectorDer('testCA')]],
  ]);
});

test('under Apple’s own root none of Apple’s mock data is accepted', async () => {
  const store = gateway({ roots: null });
  for (const name of ['testNotification', 'wrongBundleId', 'transactionInfo', 'renewalInfo']) {
    assert.equal((await store.verifyNotification(vectorText(`mock_signed_data/${name}`))).outcome, 'invalid', name);
    assert.equal((await store.verifyTransaction(vectorText(`mock_signed_data/${name}`))).outcome, 'invalid', name);
  }
});

const NOTIFICATIONS = [
  'signedNotification',
  'signedConsumptionRequestNotification',
  'signedSummaryNotification',
  'signedExternalPurchaseTokenNotification',
  'signedExternalPurchaseTokenSandboxNotification',
  'signedRescindConsentNotification',
];

test('Apple’s bodies, signed with a key of somebody else, are refused', async () => {
  const forged = await makeChain();
  for (const createVerifier of Object.values(VERIFIERS)) {
    const store = gateway({ createVerifier });
    for (const name of NOTIFICATIONS) {
      const signed = await signWith(forged, vectorModel(name));
      assert.equal((await store.verifyNotification(signed)).outcome, 'invalid', name);
    }
    for (const name of ['signedTransaction', 'signedTransactionWithRevocation', 'signedRenewalInfo']) {
      const signed = await signWith(forged, vectorModel(name));
      assert.equal((await store.verifyTransaction(signed)).outcome, 'invalid', name);
    }
  }
});

test('every container of a notification is read once its signature holds, and local test data never counts', async () => {
  const apple = await createTestAppStore();
  for (const createVerifier of Object.values(VERIFIERS)) {
    for (const name of NOTIFICATIONS) {
      const model = vectorModel(name);
      const key = ['data', 'summary', 'externalPurchaseToken', 'appData'].find((each) => model[each]) ?? '';
      // Its transaction is a word, not signed.
      const { signedTransactionInfo: _, ...container } = Object(model[key]);
      const { bundleId, appAppleId: appId } = container;
      const store = gateway({ createVerifier, bundleId, appId, roots: apple.roots });
      if (container.environment === 'LocalTesting') {
        const local = await store.verifyNotification(await signWith(apple.chain, { ...model, [key]: container }));
        assert.deepEqual(local, { outcome: 'invalid', cause: 'INVALID_ENVIRONMENT' }, name);
        container.environment = 'Production';
      }
      const verified = await store.verifyNotification(await signWith(apple.chain, { ...model, [key]: container }));
      assert.ok(verified.outcome === 'valid', `${name}: ${JSON.stringify(verified)}`);
      const expected = name.includes('Sandbox') ? 'Sandbox' : 'Production';
      assert.deepEqual([verified.value.type, verified.value.environment], [model.notificationType, expected], name);
    }
  }
});
