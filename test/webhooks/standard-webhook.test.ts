/** One attempt: signed as Standard Webhooks says, to public hosts alone, and bounded in time and size. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { after, beforeEach, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../../src/kernel/clock.ts';
import { createStandardWebhook, type StandardWebhookOptions } from '../../src/webhooks/standard-webhook.ts';
import { newWebhookSecret, openWebhookInbox } from '../support/webhook-inbox.ts';

const inbox = await openWebhookInbox();
after(() => inbox[Symbol.asyncDispose]());
beforeEach(() => inbox.reset());

const never = new AbortController().signal;
const message = { id: '5b0f3c1e-2d4a-4e6b-8f7a-1c2d3e4f5a6b', body: '{"type":"video.completed","data":{"şarkı":1}}' };
const receiver = (options: Partial<StandardWebhookOptions> = {}) =>
  createStandardWebhook({
    ...{ url: inbox.url, secrets: [inbox.secret], mayBePrivate: true, clock: systemClock },
    ...options,
  });
const send = (options: Partial<StandardWebhookOptions> = {}, signal = never) => receiver(options).send(message, signal);
const failed = (cause: string) => ({ status: null, cause, retryAfterSeconds: null });

describe('an outgoing webhook', () => {
  it('is a POST that the official library verifies, and that anybody can with an HMAC', async () => {
    assert.deepEqual(await send(), { status: 204, cause: null, retryAfterSeconds: null });
    const [{ id, headers, text, sentAt }] = inbox.requests as [(typeof inbox.requests)[0]];
    assert.deepEqual([id, text, inbox.forged], [message.id, message.body, []]);
    assert.ok(Math.abs(sentAt - Date.now() / 1000) < 5, 'the time of the attempt');
    const key = Buffer.from(inbox.secret.slice('whsec_'.length), 'base64');
    const hmac = createHmac('sha256', key).update(`${id}.${sentAt}.${text}`).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${hmac}`);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['content-length'], String(Buffer.byteLength(text)));
  });

  it('has a signature of each secret, so that a receiver may change from one to the other', async () => {
    const other = newWebhookSecret(64);
    await send({ secrets: [other, inbox.secret] });
    const [{ text, headers }] = inbox.requests as [(typeof inbox.requests)[0]];
    const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    for (const secret of [other, inbox.secret]) assert.ok(new Webhook(secret).verify(text, plain));
    assert.throws(() => new Webhook(newWebhookSecret()).verify(text, plain));
  });

  it('shows the password of its URL to the receiver alone, as a header', async () => {
    const withFetch = { url: inbox.url.replace('//', '//ada:p%40ss@'), fetch };
    for (const options of [{ url: withFetch.url }, withFetch]) await send(options);
    const basic = `Basic ${Buffer.from('ada:p@ss').toString('base64')}`;
    assert.deepEqual(
      inbox.requests.map(({ headers }) => headers.authorization),
      [basic, basic],
    );
  });

  it('follows no redirect: 3xx is the answer', async () => {
    for (const fetching of [undefined, fetch]) {
      inbox.answer = (response) => response.writeHead(307, { Location: `${inbox.url}/elsewhere` }).end();
      assert.equal((await send({ fetch: fetching })).status, 307);
    }
    assert.equal(inbox.requests.length, 2);
  });

  it('goes to no private IP address where that is forbidden, in whatever form the host is', async () => {
    const { port } = new URL(inbox.url);
    const hosts = ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254'];
    for (const host of hosts) {
      const url = `http://${host}:${port}/`;
      assert.deepEqual(await send({ url, mayBePrivate: false }), failed('private_address'), host);
    }
    assert.equal(inbox.requests.length, 0);
  });

  it('connects to the IP address that was checked, whatever the name resolves to later', async () => {
    const url = inbox.url.replace('127.0.0.1', 'receiver.example');
    const answers = [['203.0.113.7', '127.0.0.1'], ['127.0.0.1']];
    const lookup = async () => answers.shift() ?? [];
    const limit = AbortSignal.timeout(300);
    // The documentation's addresses are not public either: neither of the first answer may be used.
    assert.equal((await send({ url, lookup, mayBePrivate: false }, limit)).cause, 'private_address');
    assert.equal(inbox.requests.length, 0);
    assert.equal((await send({ url, lookup })).status, 204);
    assert.equal(inbox.requests[0]?.headers.host, new URL(url).host);
  });

  it('where IP addresses cannot be chosen, one private address of the name is enough to refuse it', async () => {
    let asked = 0;
    const fetching: typeof fetch = async () => {
      asked += 1;
      return new Response();
    };
    const lookup = async () => ['1.1.1.1', '10.0.0.1'];
    const refused = await send({ url: 'https://receiver.example/', lookup, mayBePrivate: false, fetch: fetching });
    assert.deepEqual([refused.cause, asked], ['private_address', 0]);
  });

  for (const [what, options] of Object.entries<Partial<StandardWebhookOptions>>({
    'a receiver that answers nothing': {},
    'a name server that answers nothing': {
      url: 'http://receiver.example/',
      lookup: () => new Promise(() => {}),
    },
  })) {
    it(`is given up in time with ${what}`, async () => {
      inbox.answer = () => {};
      assert.deepEqual(await send({ ...options, timeoutMs: 50 }), failed('timeout'));
    });
  }

  it('counts by the status of an answer that never ends, or is cut', async () => {
    inbox.answer = (response) => {
      response.writeHead(200);
      response.on('drain', () => response.write(Buffer.alloc(16_384))).write(Buffer.alloc(200_000));
    };
    const began = performance.now();
    assert.equal((await send({ timeoutMs: 5_000 })).status, 200);
    assert.ok(performance.now() - began < 4_500, 'only its beginning was read');
    inbox.answer = (response) => response.writeHead(200).write('a');
    assert.equal((await send({ timeoutMs: 100 })).status, 200);
    inbox.answer = (response) => {
      response.writeHead(202, { 'Content-Length': 10 });
      response.write('a', () => response.destroy());
    };
    assert.equal((await send()).status, 202);
  });

  it('says by a short name why there was no answer, without URL, password or IP address', async () => {
    const server = createSocketServer((socket) => socket.once('data', () => socket.end('no HTTP at all\r\n\r\n')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.match((await send({ url: `http://u:secret@127.0.0.1:${port}/` })).cause ?? '', /^[A-Z_]+$/);
    server.close();
    await once(server, 'close');
    assert.equal((await send({ url: `http://127.0.0.1:${port}/` })).cause, 'ECONNREFUSED');
    inbox.answer = (response) => response.destroy();
    assert.equal((await send()).cause, 'ECONNRESET');
  });

  it('hands on when the receiver wants to be asked again, in seconds or as a date', async () => {
    const dateIn = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();
    const answered = async (value: string) => {
      inbox.answer = (response) => response.writeHead(503, { 'Retry-After': value }).end();
      return (await send()).retryAfterSeconds;
    };
    assert.equal(await answered('120'), 120);
    const left = (await answered(dateIn(60))) ?? 0;
    assert.ok(left > 50 && left <= 60, String(left));
    assert.equal(await answered('soon'), null);
    assert.equal(await answered(dateIn(-60)), 0);
  });
});
