/** The calls to the App Store Server API: what is sent, and what each answer means. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose';
import { type AppStoreOptions, createAppStore } from '../../src/apple/app-store/app-store.ts';
import { createOfficialVerifier } from '../../src/apple/app-store/official-verifier.ts';
import type { RetryTools } from '../../src/kernel/retry.ts';
import { APP_ID, createTestAppStore } from '../support/app-store.ts';
import { BUNDLE_ID } from '../support/apple-id.ts';
import { vectorModel } from './support/vectors.ts';

const NOW = new Date('2026-11-29T12:00:00.900Z');
const NOW_MS = NOW.getTime();
const SECONDS = Math.floor(NOW_MS / 1000);
const ID = '2000000000000001';
const pair = await generateKeyPair('ES256', { extractable: true });
const privateKey = await exportPKCS8(pair.privateKey);
const publicPem = await exportSPKI(pair.publicKey);

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'cut' | 'hang';
type Sent = { method: string; host: 'production' | 'sandbox'; path: string; authorization: string; body: string };

/** The answers of a server on a port, one after the other; the last one again and again. */
let answers: Answer[] = [];
let sent: Sent[] = [];

const server = createServer(async (request, response) => {
  const [, host = '', ...rest] = (request.url ?? '').split('/');
  const body = Buffer.concat(await request.toArray()).toString();
  const { authorization = '' } = request.headers;
  const path = `/${rest.join('/')}`;
  sent.push({ method: request.method ?? '', host: host as Sent['host'], path, authorization, body });
  const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? 'cut';
  if (answer === 'hang') return;
  if (answer === 'cut') return void response.destroy();
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(answer.body === undefined ? '' : text);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.close();
  server.closeAllConnections();
});

const waits: number[] = [];
const retryTools: RetryTools = {
  random: () => 0,
  async sleep(ms) {
    waits.push(ms);
  },
};
const apple = await createTestAppStore({ clock: { now: () => NOW } });
const never = new AbortController().signal;

function bench(given: Answer[], more: Partial<AppStoreOptions> = {}) {
  answers = [...given];
  sent = [];
  waits.length = 0;
  return createAppStore({
    key: { keyId: 'KEY0000000', issuerId: '57246542-96fe-1a63-e053-0824d011072a', privateKey },
    ...{ bundleId: BUNDLE_ID, appId: APP_ID, roots: apple.roots, fetch, retryTools },
    urls: { production: `${base}/production/`, sandbox: `${base}/sandbox` },
    ...{ createVerifier: createOfficialVerifier, clock: { now: () => NOW } },
    ...more,
  });
}

const appleError = (errorCode: number, status = Math.floor(errorCode / 10_000)): Answer => ({
  status,
  body: { errorCode, errorMessage: 'x' },
});
const NOT_FOUND = appleError(4040010);
const PAGE: Answer = { status: 200, body: '<html>a proxy</html>' };
const infoOf = async (fields = {}): Promise<Answer> => ({
  status: 200,
  body: { signedTransactionInfo: await apple.signTransaction({ transactionId: ID, ...fields }) },
});
const hosts = () => sent.map(({ host }) => host).join(' ');

test('a transaction is asked for with a token that Apple accepts, even if our clock is a minute ahead', async () => {
  const found = await bench([await infoOf()]).fetchTransaction(ID, never);
  assert.ok(found.outcome === 'valid', JSON.stringify(found));
  assert.equal(found.value.transactionId, ID);
  const [call] = sent;
  assert.deepEqual([call?.method, call?.host, call?.path], ['GET', 'production', `/inApps/v1/transactions/${ID}`]);
  const token = call?.authorization.replace('Bearer ', '') ?? '';
  const { protectedHeader, payload } = await jwtVerify(token, await importSPKI(publicPem, 'ES256'), {
    currentDate: NOW,
  });
  assert.deepEqual(protectedHeader, { alg: 'ES256', kid: 'KEY0000000', typ: 'JWT' });
  assert.deepEqual(payload, {
    ...{ iss: '57246542-96fe-1a63-e053-0824d011072a', aud: 'appstoreconnect-v1', bid: BUNDLE_ID },
    ...{ iat: SECONDS - 60, exp: SECONDS + 240 },
  });
});

test('what production does not know is asked for in the sandbox', async () => {
  const store = bench([NOT_FOUND, await infoOf({ environment: 'Sandbox' })]);
  const found = await store.fetchTransaction(ID, never);
  assert.ok(found.outcome === 'valid');
  assert.equal(found.value.environment, 'Sandbox');
  assert.equal(hosts(), 'production sandbox');
});

test('what neither knows is unknown; what Apple calls no id is malformed', async () => {
  assert.deepEqual(await bench([NOT_FOUND]).fetchTransaction(ID, never), { outcome: 'unknown' });
  assert.equal(hosts(), 'production sandbox');
  const invalid: Answer = { status: 400, body: vectorModel('invalidTransactionIdError') };
  assert.deepEqual(await bench([invalid]).fetchTransaction(ID, never), { outcome: 'malformed' });
  assert.equal(hosts(), 'production');
});

test('an id that could become another path is never sent', async () => {
  for (const id of ['', '..', '../notifications/test', 'a/b', 'a?b', 'a%2fb', 'x'.repeat(65), 'ü', ' 1'])
    assert.deepEqual(await bench([NOT_FOUND]).fetchTransaction(id, never), { outcome: 'malformed' });
  assert.deepEqual(sent, []);
});

test('an answer counts only for the id and for the host that was asked', async () => {
  const other = await bench([await infoOf({ transactionId: '2000000000000002' })]).fetchTransaction(ID, never);
  assert.deepEqual(other, { outcome: 'invalid', cause: 'answered with another transaction' });
  const sandboxed = await bench([await infoOf({ environment: 'Sandbox' })]).fetchTransaction(ID, never);
  assert.deepEqual(sandboxed, { outcome: 'invalid', cause: 'INVALID_ENVIRONMENT' });
  const produced = await bench([NOT_FOUND, await infoOf()]).fetchTransaction(ID, never);
  assert.deepEqual(produced, { outcome: 'invalid', cause: 'INVALID_ENVIRONMENT' });
  const stranger = await createTestAppStore({ clock: { now: () => NOW } });
  const forged = { signedTransactionInfo: await stranger.signTransaction({ transactionId: ID }) };
  const refused = await bench([{ status: 200, body: forged }]).fetchTransaction(ID, never);
  assert.deepEqual(refused, { outcome: 'invalid', cause: 'VERIFICATION_FAILURE' });
});

test('a key that production refuses may work in the sandbox, where an app without a release is', async () => {
  const unreleased = bench([{ status: 401, body: 'Unauthenticated' }, await infoOf({ environment: 'Sandbox' })]);
  assert.equal((await unreleased.fetchTransaction(ID, never)).outcome, 'valid');
  const refused = { outcome: 'refused', cause: 'answered 401', retryAfterMs: null };
  assert.deepEqual(await bench([{ status: 401 }]).fetchTransaction(ID, never), refused);
  assert.deepEqual(await bench([{ status: 401 }, NOT_FOUND]).fetchTransaction(ID, never), refused);
  assert.equal(hosts(), 'production sandbox');
  assert.equal((await bench([{ status: 403 }]).fetchTransaction(ID, never)).outcome, 'refused');
  assert.equal((await bench([appleError(4040003)]).fetchTransaction(ID, never)).outcome, 'refused');
});

test('a private key that cannot be used is our fault, and nothing is sent', async () => {
  const store = bench([NOT_FOUND], { key: { keyId: 'K', issuerId: 'I', privateKey: 'no key' } });
  const refused = { outcome: 'refused', cause: 'the private key cannot be used', retryAfterMs: null };
  assert.deepEqual(await store.fetchTransaction(ID, never), refused);
  assert.deepEqual(sent, []);
});

test('an answer that may come again is asked for three times, and production’s failure is not the sandbox’s turn', async () => {
  const passing: Answer[] = [
    { status: 500, body: vectorModel('apiException') },
    { status: 503, body: 'Service Unavailable' },
    { status: 408 },
    appleError(4040002),
    appleError(4040004),
    appleError(4040006),
    'cut',
  ];
  for (const answer of passing) {
    assert.equal((await bench([answer, await infoOf()]).fetchTransaction(ID, never)).outcome, 'valid');
    assert.equal((await bench([answer]).fetchTransaction(ID, never)).outcome, 'unreachable', JSON.stringify(answer));
    assert.equal(hosts(), 'production production production');
    assert.deepEqual(waits, [250, 500]);
  }
});

test('a 200 that holds no transaction, a page, a redirect and an unknown error are no answers', async () => {
  const useless: Answer[] = [
    PAGE,
    { status: 200 },
    { status: 200, body: {} },
    { status: 200, body: [] },
    { status: 200, body: { signedTransactionInfo: 1 } },
    { status: 200, body: { signedTransactionInfo: 'x'.repeat(2_000_001) } },
    { status: 302, headers: { location: `${base}/sandbox/elsewhere` } },
    { status: 404, body: '<html>no such page</html>' },
    { status: 404, body: { errorMessage: 'x' } },
    { status: 400, body: vectorModel('apiUnknownError') },
    { status: 418, body: 'teapot' },
  ];
  for (const answer of useless) {
    const found = await bench([answer]).fetchTransaction(ID, never);
    assert.equal(found.outcome, 'unreachable', JSON.stringify(answer).slice(0, 80));
    assert.equal(hosts(), 'production');
  }
  const mock = await bench([{ status: 200, body: vectorModel('transactionInfoResponse') }]).fetchTransaction(ID, never);
  assert.equal(mock.outcome, 'invalid');
});

test('a cause never repeats what a server has sent', async () => {
  const secret = { status: 500, body: `token ${privateKey}` };
  const found = await bench([secret]).fetchTransaction(ID, never);
  assert.deepEqual(found, { outcome: 'unreachable', cause: 'answered 500', retryAfterMs: null });
});

test('Retry-After is read as Apple sends it, a UNIX time in milliseconds, and as HTTP has it', async () => {
  const ahead = (ms: number) => String(NOW_MS + ms);
  const waitsOf: [header: string | undefined, retryAfterMs: number | null][] = [
    [ahead(90_000), 90_000],
    [ahead(-90_000), 0],
    [String(SECONDS + 90), 90_000 - (NOW_MS % 1000)],
    ['120', 120_000],
    [new Date(NOW_MS + 60_100).toUTCString(), 60_100],
    [ahead(86_400_000 * 365), 3_600_000],
    ['9999999999999999', 3_600_000],
    ['soon', null],
    [undefined, null],
  ];
  for (const [header, expected] of waitsOf) {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header };
    const limited: Answer = { status: 429, body: vectorModel('apiTooManyRequestsException'), headers };
    const found = await bench([limited]).fetchTransaction(ID, never);
    assert.ok(found.outcome === 'unreachable');
    assert.equal(found.retryAfterMs, expected, header);
    // A long wait is the caller's.
    assert.equal(sent.length, expected !== null && expected > 1_500 ? 1 : 3, header);
  }
});

test('the caller’s signal ends everything, also at a server that never answers', async () => {
  const controller = new AbortController();
  const pending = bench(['hang']).fetchTransaction(ID, controller.signal);
  while (sent.length === 0) await new Promise(setImmediate);
  controller.abort();
  const found = await pending;
  assert.deepEqual(found, { outcome: 'unreachable', cause: 'no answer in time', retryAfterMs: null });
  const deaf: typeof fetch = () => new Promise(() => {});
  const ended = await bench([], { fetch: deaf }).fetchTransaction(ID, AbortSignal.abort());
  assert.equal(ended.outcome, 'unreachable');
});

test('a verification that takes longer than the caller waits is unreachable', async () => {
  const store = bench([await infoOf()], { createVerifier: async () => ({ decode: () => new Promise(() => {}) }) });
  const controller = new AbortController();
  const pending = store.fetchTransaction(ID, controller.signal);
  while (sent.length === 0) await new Promise(setImmediate);
  controller.abort();
  assert.equal((await pending).outcome, 'unreachable');
});

const consumption = {
  ...{ environment: 'Sandbox' as const, transactionId: ID, deliveryStatus: 'DELIVERED' as const },
  ...{ sampleContentProvided: true, consumptionPercentage: 37_500, refundPreference: 'DECLINE' as const },
};

test('consumption goes to version 2 of the endpoint with exactly its five keys', async () => {
  const store = bench([{ status: 202 }]);
  assert.deepEqual(await store.sendConsumption(consumption, never), { outcome: 'sent' });
  const [call] = sent;
  const path = `/inApps/v2/transactions/consumption/${ID}`;
  assert.deepEqual([call?.method, call?.host, call?.path], ['PUT', 'sandbox', path]);
  const body = {
    ...{ customerConsented: true, deliveryStatus: 'DELIVERED', sampleContentProvided: true },
    consumptionPercentage: 37_500,
  };
  assert.deepEqual(JSON.parse(call?.body ?? ''), { ...body, refundPreference: 'DECLINE' });
  await store.sendConsumption({ ...consumption, refundPreference: null, environment: 'Production' }, never);
  assert.deepEqual(JSON.parse(sent[1]?.body ?? ''), body);
  assert.equal(sent[1]?.host, 'production');
});

test('what Apple does not want is declined; every failure to tell it is not, and is not repeated at once', async () => {
  for (const code of [4000043, 4000047, 4000032, 4040010]) {
    const declined = await bench([appleError(code)]).sendConsumption(consumption, never);
    assert.deepEqual(declined, { outcome: 'declined', cause: `answered ${Math.floor(code / 10_000)} (${code})` });
  }
  const failures: [Answer, string][] = [
    [{ status: 401 }, 'refused'],
    [{ status: 500 }, 'unreachable'],
    [{ status: 429 }, 'unreachable'],
    [appleError(4040002), 'unreachable'],
    [PAGE, 'unreachable'],
    [{ status: 404, body: 'no page' }, 'unreachable'],
    ['cut', 'unreachable'],
  ];
  for (const [answer, outcome] of failures) {
    assert.equal((await bench([answer]).sendConsumption(consumption, never)).outcome, outcome, JSON.stringify(answer));
    assert.equal(sent.length, 1);
  }
});

const DAY_MS = 86_400_000;
const span = { environment: 'Production' as const, from: new Date(NOW_MS - DAY_MS), until: NOW, pageToken: null };

test('notifications are walked by page, with the same dates', async () => {
  const body = { notificationHistory: [{ signedPayload: 'a' }, { signedPayload: 'b' }], hasMore: true };
  const store = bench([
    { status: 200, body: { ...body, paginationToken: 't/1&x=+' } },
    { status: 200, body: { notificationHistory: [], hasMore: false, paginationToken: 't2' } },
  ]);
  const first = await store.notificationHistory(span, never);
  assert.deepEqual(first, { outcome: 'page', signedPayloads: ['a', 'b'], nextPageToken: 't/1&x=+' });
  const last = await store.notificationHistory({ ...span, pageToken: 't/1&x=+' }, never);
  assert.deepEqual(last, { outcome: 'page', signedPayloads: [], nextPageToken: null });
  assert.equal(sent[0]?.path, '/inApps/v1/notifications/history');
  assert.equal(new URL(`http://x${sent[1]?.path}`).searchParams.get('paginationToken'), 't/1&x=+');
  for (const { method, body: text } of sent) {
    assert.equal(method, 'POST');
    assert.deepEqual(JSON.parse(text), { startDate: NOW_MS - DAY_MS, endDate: NOW_MS });
  }
});

test('Apple’s own example of a page is read', async () => {
  const store = bench([{ status: 200, body: vectorModel('getNotificationHistoryResponse') }]);
  const page = await store.notificationHistory(span, never);
  assert.ok(page.outcome === 'page');
  assert.deepEqual(page.signedPayloads, ['signed_payload_one', 'signed_payload_two']);
});

test('no more is asked for than Apple keeps: 180 days, 30 in the sandbox', async () => {
  for (const [environment, days] of [['Production', 180] as const, ['Sandbox', 30] as const]) {
    const store = bench([{ status: 200, body: { notificationHistory: [], hasMore: false } }]);
    await store.notificationHistory({ ...span, environment, from: new Date(0) }, never);
    const { startDate } = JSON.parse(sent[0]?.body ?? '');
    const age = NOW_MS - startDate;
    assert.ok(age < days * DAY_MS && age > (days - 1) * DAY_MS, `${environment}: ${age / DAY_MS} days`);
  }
});

test('transactions are walked by revision, in version 2 of the endpoint', async () => {
  const store = bench([{ status: 200, body: vectorModel('transactionHistoryResponse') }]);
  const input = { environment: 'Sandbox' as const, transactionId: ID, revision: 'r 0' };
  const page = await store.transactionHistory(input, never);
  assert.deepEqual(page, {
    ...{ outcome: 'page', nextRevision: 'revision_output' },
    signedTransactions: ['signed_transaction_value', 'signed_transaction_value2'],
  });
  assert.deepEqual([sent[0]?.host, sent[0]?.path], ['sandbox', `/inApps/v2/history/${ID}?revision=r+0`]);
  const last = bench([{ status: 200, body: { signedTransactions: [], hasMore: false, revision: 'r1' } }]);
  const end = await last.transactionHistory({ ...input, revision: null }, never);
  assert.deepEqual(end, { outcome: 'page', signedTransactions: [], nextRevision: null });
  assert.equal(sent[0]?.path, `/inApps/v2/history/${ID}`);
  for (const code of [4040010, 4040001, 4040005, 4000006])
    assert.deepEqual(await bench([appleError(code)]).transactionHistory(input, never), { outcome: 'unknown' });
});

test('a page that leads to itself, or that is none, is no answer: a walk never goes on for ever', async () => {
  const history = { environment: 'Sandbox' as const, transactionId: ID, revision: 'r1' };
  const useless: unknown[] = [
    { signedTransactions: [], hasMore: true, revision: 'r1' },
    { signedTransactions: [], hasMore: true },
    { signedTransactions: [1], hasMore: false },
    { signedTransactions: 'x' },
    'null',
    '<html></html>',
  ];
  for (const body of useless)
    assert.equal((await bench([{ status: 200, body }]).transactionHistory(history, never)).outcome, 'unreachable');
  const notifications: unknown[] = [
    { notificationHistory: [], hasMore: true, paginationToken: 't1' },
    { notificationHistory: [], hasMore: true },
    { notificationHistory: [{}], hasMore: false },
  ];
  for (const body of notifications) {
    const page = await bench([{ status: 200, body }]).notificationHistory({ ...span, pageToken: 't1' }, never);
    assert.equal(page.outcome, 'unreachable');
  }
  const refused = await bench([{ status: 401 }]).notificationHistory(span, never);
  assert.equal(refused.outcome, 'refused');
  const odd = await bench([appleError(4000007)]).notificationHistory(span, never);
  assert.deepEqual(odd, { outcome: 'unreachable', cause: 'answered 400 (4000007)', retryAfterMs: null });
});
