/**
 * A server from the outside, whose App Store is a stand-in of this file's own, as Apple documents it: what the App Store may answer on
 * a bad day, and what stands in notifications that others have had trouble with.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeChain, signWith } from '../support/apple-chain.ts';
import { onboardGuest } from '../support/guest.ts';
import { startTestServer } from '../support/server.ts';

const BUNDLE = 'com.example.rendio';
const APP_ID = 1_234_567_890;

type Reply = (request: IncomingMessage, response: ServerResponse) => unknown;
type Host = { url: string; replies: Map<string, Reply> };

const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());

const answer =
  (status: number, body: object | string, headers: Record<string, string> = {}): Reply =>
  (_request, response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
const UNKNOWN = answer(404, { errorCode: 4040010, errorMessage: 'Transaction id not found.' });
const HANG: Reply = () => {};
const idIn = ({ url = '' }: IncomingMessage) => url.split('/').at(-1) ?? '';

/** One host of the App Store Server API. It knows no transaction but those that `replies` has something for. */
async function startHost(): Promise<Host> {
  const replies = new Map<string, Reply>();
  const server: Server = createServer((request, response) => {
    const isAsked = request.method === 'GET' && /^\/inApps\/v1\/transactions\/\w+$/.test(request.url ?? '');
    void (isAsked ? (replies.get(idIn(request)) ?? UNKNOWN) : answer(404, ''))(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, replies };
}

/** As text tools write bundles: a byte order mark, comments, another root first, lines that end as on Windows. */
async function writeRoots(...roots: { der: Uint8Array }[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-roots-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const blocks = roots.map(({ der }, index) => {
    const lines =
      Buffer.from(der)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return [`# Root - ${index}`, '-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\r\n');
  });
  const path = join(folder, 'roots.pem');
  await writeFile(path, `\ufeff${blocks.join('\r\n')}`);
  return path;
}

const [production, sandbox, chain, other] = [
  await startHost(),
  await startHost(),
  await makeChain(),
  await makeChain(),
];
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const server = await startTestServer({
  env: {
    ...{ APPLE_BUNDLE_ID: BUNDLE, APPLE_APP_ID: String(APP_ID), APPLE_KEY_ID: 'KEY0000000' },
    ...{ APPLE_ISSUER_ID: randomUUID(), APPLE_ROOT_CERTS: await writeRoots(other.root, chain.root) },
    APPLE_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '\\n'),
    ...{ APPLE_APPSTORE_URL: `${production.url}/`, APPLE_APPSTORE_SANDBOX_URL: sandbox.url, LOG_LEVEL: 'silent' },
  },
});
stack.use(server);

let count = 0;
function transaction(fields: object = {}) {
  count += 1;
  const id = `20000000000${count}`;
  return {
    ...{ transactionId: id, originalTransactionId: id, bundleId: BUNDLE, productId: 'com.rendio.credits.10' },
    ...{ purchaseDate: Date.now(), quantity: 1, type: 'Consumable', inAppOwnershipType: 'PURCHASED' },
    ...{ signedDate: Date.now(), environment: 'Production', price: 990, currency: 'USD', ...fields },
  };
}
const signed =
  (
    fields: object = {},
    send: (response: ServerResponse, text: string) => void = (response, text) => response.end(text),
  ): Reply =>
  async (request, response) => {
    const jws = await signWith(chain, transaction({ transactionId: idIn(request), ...fields }));
    send(response, JSON.stringify({ signedTransactionInfo: jws }));
  };

async function read(sent: Promise<Response>) {
  const response = await sent;
  const { error, ...body } = (await response.json()) as { error?: { code: string }; credits_added?: number };
  return { status: response.status, code: error?.code, body, retryAfter: response.headers.get('Retry-After') };
}

describe('the App Store answers a question about a purchase', { concurrency: true }, () => {
  const UNAVAILABLE = '503 ERR_5006';
  const REFUSED = '400 ERR_4011';
  const broken =
    (text: string): Reply =>
    (_request, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write(text, () => response.destroy());
    };
  const rows: [name: string, expected: string, production: Reply, sandbox?: Reply][] = [
    ...[200, 204, 302, 400, 403, 404, 418, 429, 500, 502, 503, 504].map((status): [string, string, Reply] => [
      `${status} without a body`,
      UNAVAILABLE,
      answer(status, ''),
    ]),
    ['a page of a proxy', UNAVAILABLE, answer(200, '<html>Please wait</html>', { 'content-type': 'text/html' })],
    ['JSON of another form', UNAVAILABLE, answer(200, { signedTransactionInfo: 5 })],
    ['half of its answer', UNAVAILABLE, broken('{"signed')],
    ['by hanging up', UNAVAILABLE, ({ socket }) => socket.destroy()],
    ['with something else than HTTP', UNAVAILABLE, ({ socket }) => socket.end('NO\r\n\r\n')],
    ['never', UNAVAILABLE, HANG],
    ['that it knows it not, and its sandbox never', UNAVAILABLE, UNKNOWN, HANG],
    ['that it knows it not, and its sandbox fails', UNAVAILABLE, UNKNOWN, answer(500, '')],
    ['that our key is refused', UNAVAILABLE, answer(401, 'Unauthenticated'), answer(401, 'Unauthenticated')],
    ['that our app is unknown', UNAVAILABLE, answer(404, { errorCode: 4040003 })],
    ['that it cannot find it now', UNAVAILABLE, answer(404, { errorCode: 4040002 })],
    ['with an error of next year', UNAVAILABLE, answer(400, { errorCode: 4009999 })],
    ['that it is unknown', REFUSED, UNKNOWN],
    ['with another transaction', REFUSED, signed({ transactionId: '1' })],
    ['with one of the sandbox, in production', REFUSED, signed({ environment: 'Sandbox' })],
    ['that it is no id', '400 ERR_4006', answer(400, { errorCode: 4000006 })],
    [
      'in chunks, with a byte order mark',
      '200 10',
      signed({}, (response, text) => response.write('\ufeff', () => response.end(text))),
    ],
    [
      'compressed',
      '200 10',
      signed({}, (response, text) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text))),
    ],
    [
      'before its first release, when only the sandbox takes our key',
      '200 10',
      answer(401, ''),
      signed({ environment: 'Sandbox' }),
    ],
  ];

  for (const [name, expected, ofProduction, ofSandbox] of rows) {
    it(`${name}: ${expected}`, async () => {
      const guest = await onboardGuest(server.url);
      const { transactionId } = transaction();
      production.replies.set(transactionId, ofProduction);
      if (ofSandbox) sandbox.replies.set(transactionId, ofSandbox);
      const began = performance.now();
      const { status, code, body, retryAfter } = await read(
        guest.call('update-credits', { transaction_id: transactionId }),
      );
      assert.equal(`${status} ${code ?? body.credits_added}`, expected);
      assert.ok(performance.now() - began < 20_000);
      if (status === 503) assert.match(retryAfter ?? '', /^[1-9]\d*$/);
      assert.equal(await guest.balance(), 10 + (body.credits_added ?? 0));
    });
  }

  it('that we ask too often, until a time in milliseconds: the app hears for how many seconds', async () => {
    const guest = await onboardGuest(server.url);
    const { transactionId } = transaction();
    const until = String(Date.now() + 600_000);
    production.replies.set(transactionId, answer(429, { errorCode: 4290000 }, { 'retry-after': until }));
    const { status, retryAfter } = await read(guest.call('update-credits', { transaction_id: transactionId }));
    assert.equal(status, 503);
    assert.ok(Number(retryAfter) > 300 && Number(retryAfter) <= 600, String(retryAfter));
  });
});

describe('a notification', () => {
  const data = { environment: 'Production', appAppleId: APP_ID, bundleId: BUNDLE };
  const post = (body: object) =>
    read(
      fetch(`${server.url}/functions/v1/apple-server-notifications`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json; charset=UTF-8', Authorization: 'Bearer of nobody' },
        body: JSON.stringify(body),
      }),
    );
  const send = async (fields: object) => {
    const usual = { notificationType: 'TEST', notificationUUID: randomUUID(), version: '2.0', signedDate: Date.now() };
    return post({ signedPayload: await signWith(chain, { ...usual, data, ...fields }) });
  };
  const inside = async (fields: object, signer = chain) => ({
    notificationType: 'ONE_TIME_CHARGE',
    data: { ...data, signedTransactionInfo: await signWith(signer, transaction(fields)) },
  });
  const rows: [name: string, status: number, send: () => ReturnType<typeof post>][] = [
    ['of version 1', 400, () => post({ notification_type: 'REFUND', unified_receipt: {} })],
    [
      'beside members that nobody knows',
      200,
      async () =>
        post({
          version: 3,
          signedPayload: await signWith(chain, {
            notificationType: 'TEST',
            notificationUUID: randomUUID(),
            signedDate: Date.now(),
            data,
          }),
        }),
    ],
    [
      'of the sandbox, without the app’s number',
      200,
      () => send({ data: { ...data, environment: 'Sandbox', appAppleId: undefined } }),
    ],
    ['of production, without the app’s number', 401, () => send({ data: { ...data, appAppleId: undefined } })],
    ['of Xcode', 401, () => send({ data: { ...data, environment: 'Xcode' } })],
    ['without a container', 401, () => send({ data: undefined })],
    ['of a type of next year', 200, () => send({ notificationType: 'NEXT_YEAR', subtype: 'two words' })],
    ['about a subscription', 200, async () => send(await inside({ type: 'Auto-Renewable Subscription' }))],
    ['with a long list of renewals', 200, async () => send(await inside({ filler: 'x'.repeat(20_000) }))],
    ['with a purchase that lacks its product', 200, async () => send(await inside({ productId: undefined }))],
    ['with a purchase of another app', 401, async () => send(await inside({ bundleId: 'com.example.other' }))],
    ['with a purchase of a stranger’s root', 401, async () => send(await inside({}, await makeChain()))],
    ['with a word for a purchase', 401, () => send({ data: { ...data, signedTransactionInfo: 'purchase' } })],
    ['that is a purchase', 401, async () => post({ signedPayload: await signWith(chain, transaction()) })],
  ];
  for (const [name, status, sendIt] of rows)
    it(`${name} is ${status}`, async () => assert.equal((await sendIt()).status, status));
});
