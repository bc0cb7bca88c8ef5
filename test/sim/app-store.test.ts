/** The simulated App Store Server API, as it goes over the wire. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, exportPKCS8, generateKeyPair } from 'jose';
import { withAppStoreControls } from '../../sim/app-store/controls.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createAppStore } from '../../src/apple/app-store/app-store.ts';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { until } from '../acceptance/support/until.ts';
import {
  APP_ID,
  apiToken,
  appStoreIn,
  BUNDLE_ID,
  callApi,
  NOTIFICATIONS_URL,
  PRODUCT,
  START_MS,
} from '../support/simulated-app-store.ts';

const DAY_MS = 24 * 3600_000;
const idsIn = (signed: string[]) => signed.map((jws) => String(decodeJwt(jws).transactionId));

test('a transaction has Apple’s members, and is known to its own environment alone', async (t) => {
  const { store, api } = await appStoreIn(t);
  const appAccountToken = randomUUID().toUpperCase();
  const purchase = { productId: PRODUCT, quantity: 3, appAccountToken, priceMilliunits: 2970 };
  const { transactionId } = await store.buy(purchase);
  const { status, body } = await api('sandbox', 'GET', `/v1/transactions/${transactionId}`);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ['signedTransactionInfo']);
  const { appTransactionId, signedDate, ...members } = decodeJwt(body.signedTransactionInfo);
  assert.match(String(appTransactionId), /^\d+$/);
  assert.ok(Number(signedDate) >= START_MS);
  assert.deepEqual(members, {
    ...{ transactionId, originalTransactionId: transactionId, bundleId: BUNDLE_ID, productId: PRODUCT },
    ...{ purchaseDate: START_MS, originalPurchaseDate: START_MS, quantity: 3, type: 'Consumable' },
    ...{ appAccountToken, inAppOwnershipType: 'PURCHASED', environment: 'Sandbox', transactionReason: 'PURCHASE' },
    ...{ storefront: 'USA', storefrontId: '143441', price: 2970, currency: 'USD' },
  });
  const notFound = { errorCode: 4040010, errorMessage: 'Transaction id not found.' };
  const other = await api('production', 'GET', `/v1/transactions/${transactionId}`);
  assert.deepEqual([other.status, other.body], [404, notFound]);
  const unnamed = await store.buy({ productId: PRODUCT, environment: 'Production' });
  assert.equal((await api('sandbox', 'GET', `/v1/transactions/${unnamed.transactionId}`)).status, 404);
  const known = await api('production', 'GET', `/v1/transactions/${unnamed.transactionId}`);
  assert.ok(!('appAccountToken' in decodeJwt(known.body.signedTransactionInfo)));
  for (const id of ['abc', '0', '-1', '1'.repeat(21)]) {
    const malformed = await api('sandbox', 'GET', `/v1/transactions/${id}`);
    assert.deepEqual([malformed.status, malformed.body.errorCode], [400, 4000006], id);
  }
});

test('a token is checked as Apple checks it, and a refusal is no JSON', async (t) => {
  const { world, appStore, store } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const now = START_MS / 1000;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const bad: Record<string, string> = {
    'no JWT': 'secret',
    'another key': await apiToken(appStore, {}, { privateKeyPem: await exportPKCS8(privateKey) }),
    'another key id': await apiToken(appStore, {}, { kid: 'OTHERKEY00' }),
    'another issuer': await apiToken(appStore, { iss: randomUUID() }),
    'another audience': await apiToken(appStore, { aud: 'appstoreconnect-v2' }),
    'another bundle': await apiToken(appStore, { bid: 'com.example.other' }),
    'no bundle': await apiToken(appStore, { bid: undefined }),
    expired: await apiToken(appStore, { exp: now - 1 }),
    'without an end': await apiToken(appStore, { exp: undefined }),
    'without a start': await apiToken(appStore, { iat: undefined }),
    'from the future': await apiToken(appStore, { iat: now + 60 }),
    'of more than an hour': await apiToken(appStore, { exp: now + 3601 }),
  };
  const call = (token: string, path = `/v1/transactions/${transactionId}`) =>
    callApi(world.fetch, appStore, { environment: 'sandbox', method: 'GET', path, token });
  for (const [name, token] of Object.entries(bad)) {
    const { status, text, body } = await call(token);
    assert.deepEqual([status, body], [401, undefined], name);
    assert.match(text, /^Unauthenticated\n/);
  }
  assert.equal((await call(await apiToken(appStore, { exp: now + 3600 }))).status, 200);
  assert.equal((await call('secret', '/v1/transactions/unknown')).status, 401, 'who calls comes first');
  const header = { authorization: `Basic ${await apiToken(appStore)}` };
  const response = await world.fetch(`${appStore.urls.sandbox}/inApps/v1/transactions/1`, { headers: header });
  assert.equal(response.status, 401);
});

test('a customer’s history comes in pages of twenty, and a revision continues with what is new or changed', async (t) => {
  const { store, api } = await appStoreIn(t);
  const appAccountToken = randomUUID();
  const bought: string[] = [];
  for (let i = 0; i < 45; i += 1) bought.push((await store.buy({ productId: PRODUCT, appAccountToken })).transactionId);
  await store.buy({ productId: PRODUCT, appAccountToken: randomUUID() });
  await store.buy({ productId: PRODUCT, appAccountToken, environment: 'Production' });
  const [first = ''] = bought;
  const page = async (revision: string | null, query = '') => {
    const after = revision === null ? '' : `revision=${revision}`;
    return (await api('sandbox', 'GET', `/v2/history/${bought[7]}?${after}${query}`)).body;
  };
  const seen: string[] = [];
  let revision: string | null = null;
  for (const size of [20, 20, 5]) {
    const { signedTransactions, hasMore, ...rest } = await page(revision);
    assert.deepEqual([signedTransactions.length, hasMore], [size, size === 20]);
    seen.push(...idsIn(signedTransactions));
    assert.deepEqual([rest.bundleId, rest.environment, rest.appAppleId], [BUNDLE_ID, 'Sandbox', undefined]);
    revision = rest.revision;
  }
  assert.deepEqual(seen, bought);
  assert.deepEqual((await page(revision)).signedTransactions, []);
  assert.equal((await page(revision)).revision, revision);
  await store.refund(first);
  const { signedTransactions } = await page(revision);
  assert.deepEqual(idsIn(signedTransactions), [first]);
  assert.equal(decodeJwt(signedTransactions[0]).revocationType, 'REFUND_FULL');

  const newest = await page(null, '&sort=DESCENDING');
  assert.deepEqual(idsIn(newest.signedTransactions).slice(0, 2), [first, bought.at(-1)]);
  const next = await page(newest.revision, '&sort=DESCENDING');
  assert.equal(idsIn(next.signedTransactions)[0], bought.at(-20));
});

test('a history is filtered as Apple filters it, and a wrong filter is refused with its number', async (t) => {
  const { store, api, time } = await appStoreIn(t);
  const customer = 'one';
  const { transactionId: plain } = await store.buy({ productId: 'plain', customer });
  time.ms += 1000;
  const { transactionId: lasting } = await store.buy({ productId: 'lasting', customer, type: 'Non-Consumable' });
  time.ms += 1000;
  const { transactionId: family } = await store.buy({ productId: 'family', customer, ownership: 'FAMILY_SHARED' });
  await store.refund(lasting, { percentage: 10 });
  const found = async (query: string) => {
    const { status, body } = await api('sandbox', 'GET', `/v2/history/${plain}?${query}`);
    return status === 200 ? idsIn(body.signedTransactions).sort() : [String(body.errorCode)];
  };
  const cases: [string, string[]][] = [
    ['', [plain, lasting, family]],
    ['productId=plain&productId=family', [plain, family]],
    ['productType=NON_CONSUMABLE', [lasting]],
    ['productType=NON_CONSUMABLE&productType=CONSUMABLE', [plain, lasting, family]],
    ['inAppOwnershipType=FAMILY_SHARED', [family]],
    ['revoked=true', [lasting]],
    ['revoked=false', [plain, family]],
    [`startDate=${START_MS + 1000}`, [lasting, family]],
    [`startDate=${START_MS}&endDate=${START_MS + 2000}`, [plain, lasting]],
    ['productId=plain&revoked=true', []],
    ['subscriptionGroupIdentifier=1', []],
    ['revision=abc', ['4000005']],
    ['startDate=tomorrow', ['4000015']],
    ['endDate=1.5', ['4000016']],
    ['startDate=2&endDate=2', ['4000013']],
    ['sort=NEWEST', ['4000021']],
    ['productType=CREDITS', ['4000022']],
    ['productId=', ['4000023']],
    ['inAppOwnershipType=MINE', ['4000026']],
    ['revoked=perhaps', ['4000030']],
  ];
  for (const [query, expected] of cases) assert.deepEqual(await found(query), expected.sort(), query);
  const page = async (path: string) => (await api('production', 'GET', path)).body;
  const { transactionId } = await store.buy({ productId: PRODUCT, environment: 'Production' });
  assert.equal((await page(`/v2/history/${transactionId}`)).appAppleId, APP_ID);
});

test('the refund history has refunds alone, in their order, in pages', async (t) => {
  const { store, api } = await appStoreIn(t);
  const bought: string[] = [];
  for (let i = 0; i < 23; i += 1) bought.push((await store.buy({ productId: PRODUCT })).transactionId);
  const [kept = '', revoked = '', reversed = '', ...refunded] = bought;
  for (const id of refunded.reverse()) await store.refund(id);
  await store.revoke(revoked);
  await store.refund(reversed);
  await store.reverseRefund(reversed);
  const one = (await api('sandbox', 'GET', `/v2/refund/lookup/${kept}`)).body;
  assert.deepEqual([idsIn(one.signedTransactions), one.hasMore], [refunded, false]);
  await store.refund(kept);
  const { body } = await api('sandbox', 'GET', `/v2/refund/lookup/${kept}?revision=${one.revision}`);
  assert.deepEqual([idsIn(body.signedTransactions), body.hasMore], [[kept], false]);
  await store.refund(reversed);
  const { signedTransactions, hasMore } = (await api('sandbox', 'GET', `/v2/refund/lookup/${kept}`)).body;
  assert.deepEqual([signedTransactions.length, hasMore], [20, true]);
});

test('consumption information is checked field by field, answered with an empty 202, and kept', async (t) => {
  const { store, api } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const good = { customerConsented: true, deliveryStatus: 'DELIVERED', sampleContentProvided: false };
  const send = async (body: unknown, id = transactionId) => {
    const { status, text, body: answer } = await api('sandbox', 'PUT', `/v2/transactions/consumption/${id}`, body);
    return status === 202 ? `202 ${text}`.trim() : `${status} ${answer?.errorCode}`;
  };
  const cases: [unknown, string][] = [
    [good, '202'],
    [{ ...good, consumptionPercentage: 0, refundPreference: 'GRANT_FULL' }, '202'],
    [{ ...good, consumptionPercentage: 100_000, refundPreference: 'DECLINE' }, '202'],
    [{ ...good, consumptionPercentage: 33_333, refundPreference: 'GRANT_PRORATED' }, '202'],
    [{ ...good, deliveryStatus: 'UNDELIVERED_SERVER_OUTAGE', consumptionPercentage: 0 }, '202'],
    [{ ...good, customerConsented: false }, '400 4000035'],
    [{ ...good, customerConsented: undefined }, '400 4000035'],
    [{ ...good, deliveryStatus: 0 }, '400 4000036'],
    [{ ...good, deliveryStatus: undefined }, '400 4000036'],
    [{ ...good, sampleContentProvided: 'no' }, '400 4000041'],
    [{ ...good, refundPreference: 2 }, '400 4000044'],
    [{ ...good, consumptionPercentage: 100_001 }, '400 4000000'],
    [{ ...good, consumptionPercentage: 0.5 }, '400 4000000'],
    [{ ...good, consumptionPercentage: null }, '400 4000000'],
    // Apple prorates a part alone, and what was not delivered was not consumed.
    [{ ...good, refundPreference: 'GRANT_PRORATED' }, '400 4000000'],
    [{ ...good, consumptionPercentage: 100_000, refundPreference: 'GRANT_PRORATED' }, '400 4000000'],
    [{ ...good, deliveryStatus: 'UNDELIVERED_OTHER', consumptionPercentage: 1 }, '400 4000000'],
    // Fields of the version before.
    [{ ...good, consumptionStatus: 1, platform: 1 }, '400 4000000'],
    [[good], '400 4000000'],
    [undefined, '400 4000000'],
    ['{', '400 undefined'],
  ];
  for (const [body, expected] of cases) assert.equal(await send(body), expected, JSON.stringify(body));
  assert.equal(await send(good, '2000099999999999'), '404 4040010');
  const { transactionId: family } = await store.buy({ productId: PRODUCT, ownership: 'FAMILY_SHARED' });
  assert.equal(await send(good, family), '400 4000185');
  const kept = await store.consumption();
  assert.equal(kept.length, 5);
  const { id: _, receivedAtMs: __, ...told } = kept[3] ?? assert.fail();
  assert.deepEqual(told, { ...(cases[3]?.[0] as object), transactionId });
});

test('the history of notifications comes in pages of twenty, filtered, with what became of each', async (t) => {
  const { store, api, inbox } = await appStoreIn(t);
  const body = { startDate: START_MS - DAY_MS, endDate: START_MS + DAY_MS };
  const page = async (more: object = {}, token?: string, environment: 'sandbox' | 'production' = 'sandbox') => {
    const query = token === undefined ? '' : `?paginationToken=${token}`;
    return (await api(environment, 'POST', `/v1/notifications/history${query}`, { ...body, ...more })).body;
  };
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const { transactionId } = await store.buy({ productId: PRODUCT, appAccountToken: mine });
  for (let i = 0; i < 43; i += 1) await store.buy({ productId: PRODUCT, appAccountToken: theirs });
  store.planDelivery({ isLost: true });
  await store.refund(transactionId);
  await store.sendTest('Production');
  store.planDelivery({ delayMs: 600_000 });
  await store.declineRefund(transactionId);
  const seen: string[] = [];
  let token: string | undefined;
  for (const size of [20, 20, 5]) {
    const { notificationHistory, hasMore, paginationToken } = await page({}, token);
    assert.deepEqual([notificationHistory.length, hasMore], [size, size === 20]);
    seen.push(...notificationHistory.map(({ signedPayload }: { signedPayload: string }) => signedPayload));
    token = paginationToken;
  }
  assert.equal(token, undefined);
  assert.deepEqual(seen.slice(0, 44), inbox.payloads.slice(0, 44));
  const [lost] = (await page({ onlyFailures: true })).notificationHistory;
  assert.deepEqual(lost, {
    signedPayload: seen[44],
    sendAttempts: [{ attemptDate: START_MS, sendAttemptResult: 'NO_RESPONSE' }],
  });
  const typesOf = async (more: object) =>
    (await page(more)).notificationHistory.map(
      ({ signedPayload }: { signedPayload: string }) => decodeJwt(signedPayload).notificationType,
    );
  assert.deepEqual(await typesOf({ transactionId }), ['ONE_TIME_CHARGE', 'REFUND']);
  assert.deepEqual(await typesOf({ notificationType: 'REFUND', notificationSubtype: null, onlyFailures: null }), [
    'REFUND',
  ]);
  assert.deepEqual(await typesOf({ notificationType: 'REFUND', notificationSubtype: 'OTHER' }), []);
  assert.deepEqual(await typesOf({ startDate: START_MS + DAY_MS / 2 }), []);
  assert.equal((await page({}, undefined, 'production')).notificationHistory.length, 1);
});

test('a request for the history of notifications is checked as Apple checks it', async (t) => {
  const { api } = await appStoreIn(t);
  const range = { startDate: START_MS - DAY_MS, endDate: START_MS };
  const refused = async (body: unknown, environment: 'sandbox' | 'production' = 'sandbox', query = '') => {
    const { status, body: answer } = await api(environment, 'POST', `/v1/notifications/history${query}`, body);
    return status === 200 ? 200 : answer?.errorCode;
  };
  const daysAgo = (days: number) => ({ ...range, startDate: START_MS - days * DAY_MS });
  assert.equal(await refused({ endDate: START_MS }), 4000015);
  assert.equal(await refused({ ...range, startDate: String(START_MS) }), 4000015);
  assert.equal(await refused({ startDate: START_MS }), 4000016);
  assert.equal(await refused({ startDate: START_MS, endDate: START_MS }), 4000013);
  assert.deepEqual([await refused(daysAgo(30)), await refused(daysAgo(31))], [200, 4000012]);
  const production = [await refused(daysAgo(180), 'production'), await refused(daysAgo(181), 'production')];
  assert.deepEqual(production, [200, 4000012]);
  assert.equal(await refused({ ...range, notificationType: 'REFUNDED' }), 4000018);
  assert.equal(await refused({ ...range, notificationSubtype: 'INITIAL_BUY' }), 4000018);
  assert.equal(await refused({ ...range, notificationType: 'REFUND', transactionId: '1' }), 4000019);
  assert.equal(await refused({ ...range, transactionId: '2000099999999999' }), 4040010);
  assert.equal(await refused({ ...range, transactionId: 1 }), 4000006);
  assert.equal(await refused({ ...range, onlyFailures: 'yes' }), 4000000);
  assert.equal(await refused(range, 'sandbox', '?paginationToken=abc'), 4000014);
  assert.equal(await refused('['), undefined);
});

test('a test notification is sent, and its status is there once it was', async (t) => {
  const { api, inbox, store } = await appStoreIn(t);
  const request = async () => (await api('sandbox', 'POST', '/v1/notifications/test')).body.testNotificationToken;
  const status = async (token: string, environment: 'sandbox' | 'production' = 'sandbox') =>
    (await api(environment, 'GET', `/v1/notifications/test/${token}`)).body;
  const token = await request();
  await inbox.atLeast(1);
  const [sent] = inbox.received();
  assert.deepEqual([sent?.notificationType, sent?.notificationUUID], ['TEST', token]);
  const { sendAttempts, signedPayload } = await until(
    () => status(token),
    ({ errorCode }) => errorCode === undefined,
    'status',
  );
  assert.deepEqual(
    [sendAttempts.length, sendAttempts[0].sendAttemptResult, signedPayload],
    [1, 'SUCCESS', inbox.payloads[0]],
  );
  store.planDelivery({ delayMs: 600_000 });
  assert.equal((await status(await request())).errorCode, 4040008, 'not sent yet');
  assert.equal((await status(token, 'production')).errorCode, 4040008);
  assert.equal((await status(randomUUID())).errorCode, 4040008);
  assert.equal((await status('abc')).errorCode, 4000020);
  const without = await appStoreIn(t, { notificationsUrl: () => null });
  assert.equal((await without.api('sandbox', 'POST', '/v1/notifications/test')).body.errorCode, 4040007);
});

test('planned faults hit the calls that they name, as often as planned, and calls are recorded without tokens', async (t) => {
  const { store, api, world, appStore } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const get = () => api('sandbox', 'GET', `/v1/transactions/${transactionId}`);
  const retryAt = String(START_MS + 1500);
  const limited = JSON.stringify({ errorCode: 4290000, errorMessage: 'Rate limit exceeded.' });
  store.plan({ on: 'transaction', reply: { status: 429, text: limited, headers: { 'retry-after': retryAt } } });
  store.plan({ on: 'transaction', reply: { status: 200, text: '<html>' } });
  store.plan({ on: 'history', reply: 'cut' });
  assert.deepEqual([(await get()).body?.errorCode, (await get()).text], [4290000, '<html>']);
  assert.equal((await get()).status, 200);
  await assert.rejects(api('sandbox', 'GET', `/v2/history/${transactionId}`), /fetch failed/);
  store.plan({ on: 'any', hangMs: 600_000 });
  const hanging = callApi((input, init) => world.fetch(input, { ...init, signal: AbortSignal.timeout(5) }), appStore, {
    environment: 'production',
    method: 'GET',
    path: '/v1/transactions/1',
  });
  await assert.rejects(hanging, { name: 'TimeoutError' });
  store.plan({ on: 'consumption', apply: true, reply: { status: 500 } });
  const consumption = { customerConsented: true, deliveryStatus: 'DELIVERED', sampleContentProvided: false };
  const path = `/v2/transactions/consumption/${transactionId}`;
  assert.equal((await api('sandbox', 'PUT', path, consumption)).status, 500);
  assert.equal((await store.consumption()).length, 1, 'Apple has it, and its answer is lost');
  store.plan({ on: 'any', times: 10, reply: 'cut' });
  store.clearFaults();
  assert.equal((await get()).status, 200);
  const calls = store.calls();
  assert.deepEqual(
    calls.slice(0, 3).map(({ operation, status, input }) => [operation, status, input?.environment]),
    [429, 200, 200].map((status) => ['transaction', status, 'Sandbox']),
  );
  assert.deepEqual(calls.find(({ operation }) => operation === 'consumption')?.input?.body, consumption);
  assert.ok(!JSON.stringify(calls).includes('Bearer'));
});

test('served over a port, the control panel does what the object does', async (t) => {
  const { appStore, store, inbox } = await appStoreIn(t);
  const { url, close } = await serveSimulator(withAppStoreControls(appStore));
  t.after(close);
  const control = async (method: string, path: string, json?: unknown) => {
    const response = await fetch(`${url}/_control/${path}`, {
      method,
      ...(json ? { body: JSON.stringify(json) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  const { body: bought } = await control('POST', 'transactions', { productId: PRODUCT, quantity: 2 });
  assert.deepEqual(bought.statuses, [200]);
  const on = (path: string, json: unknown = {}) =>
    control('POST', `transactions/${bought.transactionId}/${path}`, json);
  assert.equal((await on('consumption-request', { reason: 'LEGAL' })).status, 200);
  assert.equal((await on('decline-refund')).status, 200);
  assert.equal((await on('refund', { percentage: 25, reason: 1 })).status, 200);
  assert.equal((await on('reverse-refund')).status, 200);
  assert.equal((await on('revoke')).status, 200);
  assert.deepEqual((await control('POST', 'notifications/test', { environment: 'Production' })).body, {
    statuses: [200],
  });
  assert.deepEqual((await control('POST', 'notifications', { type: 'METADATA_UPDATE' })).body, { statuses: [200] });
  assert.deepEqual(
    inbox.received().map(({ notificationType }) => notificationType),
    [
      ...['ONE_TIME_CHARGE', 'CONSUMPTION_REQUEST', 'REFUND_DECLINED', 'REFUND', 'REFUND_REVERSED', 'REVOKE'],
      ...['TEST', 'METADATA_UPDATE'],
    ],
  );
  for (const [method, path, json] of [
    ['PUT', 'notifications', { url: NOTIFICATIONS_URL, retryMs: 1 }],
    ['POST', 'deliveries', { isLost: true, times: 9 }],
    ['DELETE', 'deliveries'],
    ['PUT', 'release', { isReleased: false }],
    ['POST', 'faults', { times: 5, reply: 'cut' }],
    ['DELETE', 'faults'],
  ] as const)
    assert.equal((await control(method, path, json)).status, 204, path);
  const token = await apiToken(appStore);
  const ask = (path: string) => fetch(`${url}/${path}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await ask(`production/inApps/v1/transactions/${bought.transactionId}`)).status, 401);
  assert.equal((await ask(`sandbox/inApps/v1/transactions/${bought.transactionId}`)).status, 200);
  assert.deepEqual((await control('GET', 'transactions')).body, await store.transactions());
  assert.deepEqual((await control('GET', 'notifications')).body, await store.notifications());
  assert.deepEqual((await control('GET', 'consumption')).body, []);
  assert.deepEqual((await control('GET', 'calls')).body, JSON.parse(JSON.stringify(store.calls())));
  const { signed } = (await control('POST', 'sign', { bundleId: 'com.example.other' })).body;
  assert.equal(decodeJwt(signed).bundleId, 'com.example.other');
  const refused = await on('refund', { percentage: 10 });
  assert.equal(refused.status, 400);
  assert.match(refused.body.error, /^100 % of \d+ is revoked already$/);
  assert.equal((await control('POST', 'transactions', { productId: '' })).status, 400);
  assert.match((await control('POST', 'transactions/1/refund', {})).body.error, /there is no simulated transaction 1/);
});

test('the server’s own adapter verifies, asks, pages and answers against it', async (t) => {
  const { world, appStore, store, inbox } = await appStoreIn(t, { clock: systemClock });
  const { privateKeyPem: privateKey, ...names } = appStore.credentials;
  const { bundleId, appId, urls } = appStore;
  const adapter = createAppStore({
    ...{ key: { ...names, privateKey }, bundleId, appId, urls, roots: await appStore.roots(), fetch: world.fetch },
    ...{ clock: systemClock, createVerifier: createOfficialVerifier },
  });
  const signal = AbortSignal.timeout(60_000);
  const appAccountToken = randomUUID();
  const bought: string[] = [];
  for (let i = 0; i < 21; i += 1) bought.push((await store.buy({ productId: PRODUCT, appAccountToken })).transactionId);
  const [transactionId = ''] = bought;
  const told = await adapter.verifyNotification(inbox.payloads[0] ?? '');
  assert.ok(told.outcome === 'valid', JSON.stringify(told));
  assert.deepEqual([told.value.type, told.value.transaction?.transactionId], ['ONE_TIME_CHARGE', transactionId]);
  await store.refund(transactionId, { percentage: 50 });
  const fetched = await adapter.fetchTransaction(transactionId, signal);
  assert.ok(fetched.outcome === 'valid', JSON.stringify(fetched));
  const { environment, revocationPercentage } = fetched.value;
  assert.deepEqual(
    [environment, revocationPercentage, fetched.value.appAccountToken],
    ['Sandbox', 50_000, appAccountToken],
  );
  store.setReleased(false);
  assert.equal((await adapter.fetchTransaction(transactionId, signal)).outcome, 'valid', 'before the first release');
  store.setReleased(true);
  assert.deepEqual(await adapter.fetchTransaction('2000099999999999', signal), { outcome: 'unknown' });

  const consumption = { deliveryStatus: 'DELIVERED', sampleContentProvided: false } as const;
  const input = { environment, transactionId, consumptionPercentage: 100_000, refundPreference: null, ...consumption };
  assert.deepEqual(await adapter.sendConsumption(input, signal), { outcome: 'sent' });
  const [from, until] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const one = await adapter.notificationHistory({ environment, from, until, pageToken: null }, signal);
  assert.ok(one.outcome === 'page' && one.signedPayloads.length === 20 && one.nextPageToken);
  const two = await adapter.notificationHistory({ environment, from, until, pageToken: one.nextPageToken }, signal);
  assert.ok(two.outcome === 'page' && two.signedPayloads.length === 2 && two.nextPageToken === null);
  assert.deepEqual([...one.signedPayloads, ...two.signedPayloads], inbox.payloads);
  const history = await adapter.transactionHistory({ environment, transactionId, revision: null }, signal);
  assert.ok(history.outcome === 'page' && history.signedTransactions.length === 20 && history.nextRevision);
});
