/** What receivers of alerts are sent, and that none of them can hold the sender up. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Alert } from '../../src/alerts/port.ts';
import { createTelegramReceiver } from '../../src/alerts/telegram.ts';
import { createWebhookReceiver } from '../../src/alerts/webhook.ts';
import { type AlertInbox, openAlertInbox } from '../support/alert-inbox.ts';

const ALERT: Alert = {
  id: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
  kind: 'store_key',
  subject: 'apple',
  title: 'The App Store refuses the key of this server',
  text: 'Compare the key.',
  raisedAt: new Date('2026-11-29T10:00:00.000Z'),
};
const BOT_TOKEN = '123:secret-of-the-bot';
const never = new AbortController().signal;

describe('receivers of alerts', () => {
  let inbox: AlertInbox;
  before(async () => {
    inbox = await openAlertInbox();
  });
  after(() => inbox[Symbol.asyncDispose]());
  beforeEach(() => inbox.reset());

  const webhook = (change: object = {}) =>
    createWebhookReceiver({ url: `${inbox.url}/hook?key=1`, environment: 'staging', fetch, ...change });
  const telegram = (change: object = {}) =>
    createTelegramReceiver({
      ...{ baseUrl: inbox.url, botToken: BOT_TOKEN, chatId: '-100', environment: 'staging', fetch, ...change },
    });

  it('a webhook gets the alert as JSON, at exactly the URL that was given', async () => {
    assert.deepEqual(await webhook().send(ALERT, never), { outcome: 'sent' });
    const [request, ...others] = inbox.requests;
    assert.equal(others.length, 0);
    assert.equal(request?.path, '/hook?key=1');
    assert.deepEqual(request?.body, {
      ...{ id: ALERT.id, type: 'alert', kind: 'store_key', subject: 'apple', environment: 'staging' },
      title: ALERT.title,
      text: `${ALERT.title}\n\n${ALERT.text}`,
      raised_at: '2026-11-29T10:00:00.000Z',
    });
  });

  it('user and password in the URL of a webhook become a header', async () => {
    const url = new URL(`${inbox.url}/hook`);
    url.username = 'ops';
    url.password = 'p@ss wörd';
    assert.deepEqual(await webhook({ url: url.href }).send(ALERT, never), { outcome: 'sent' });
    const basic = Buffer.from('ops:p@ss wörd').toString('base64');
    assert.equal(inbox.requests[0]?.authorization, `Basic ${basic}`);
  });

  it('a chat of Telegram gets one plain message, cut to the longest that Telegram takes', async () => {
    assert.deepEqual(await telegram().send({ ...ALERT, text: 'long '.repeat(2_000) }, never), { outcome: 'sent' });
    const [request] = inbox.requests;
    assert.equal(request?.path, `/bot${BOT_TOKEN}/sendMessage`);
    const { chat_id, text, parse_mode } = Object(request?.body);
    assert.deepEqual([chat_id, parse_mode], ['-100', undefined]);
    assert.ok(text.startsWith(`[staging] ${ALERT.title}`) && text.length <= 4096 && text.length > 4000, text.length);
  });

  it('a 200 that Telegram did not send is no success', async () => {
    for (const body of ['<html>', '{"ok":false}', '', 'null']) {
      inbox.answer = (response) => response.end(body);
      assert.deepEqual(await telegram().send(ALERT, never), { outcome: 'failed', cause: 'answered 200' });
    }
  });

  it('a redirect is a failure, and nothing is sent to where it leads', async () => {
    for (const status of [301, 302, 307, 308]) {
      inbox.reset();
      inbox.answer = (response) => response.writeHead(status, { Location: `${inbox.url}/elsewhere` }).end();
      for (const receiver of [webhook(), telegram()])
        assert.deepEqual(await receiver.send(ALERT, never), { outcome: 'failed', cause: `answered ${status}` });
      assert.ok(inbox.requests.every(({ path }) => path !== '/elsewhere'));
    }
  });

  it('a receiver that does not answer, or never ends its answer, is given up', async () => {
    inbox.answer = () => {};
    for (const receiver of [webhook({ timeoutMs: 50 }), telegram({ timeoutMs: 50 })])
      assert.deepEqual(await receiver.send(ALERT, never), { outcome: 'failed', cause: 'TimeoutError' });
    inbox.answer = (response) => response.write('{');
    assert.deepEqual(await webhook({ timeoutMs: 50 }).send(ALERT, never), { outcome: 'failed', cause: 'TimeoutError' });
    const stopping = AbortSignal.abort();
    assert.deepEqual(await webhook().send(ALERT, stopping), { outcome: 'failed', cause: 'AbortError' });
  });

  it('of an endless answer only the beginning is read', async () => {
    let chunks = 0;
    inbox.answer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1_000))) chunks += 1;
      };
      response.on('drain', more);
      more();
    };
    assert.deepEqual(await webhook().send(ALERT, never), { outcome: 'sent' });
    assert.ok(chunks < 10_000, String(chunks));
  });

  it('a failure names neither the token nor the address', async () => {
    inbox.answer = (response) => response.writeHead(401).end(`bad token ${BOT_TOKEN}`);
    const refused = await telegram().send(ALERT, never);
    const unreachable = await telegram({ baseUrl: 'http://127.0.0.1:1' }).send(ALERT, never);
    const broken = () => Promise.reject(new TypeError(`cannot parse http://x/bot${BOT_TOKEN}`));
    const thrown = await telegram({ fetch: broken }).send(ALERT, never);
    assert.deepEqual(
      [refused, unreachable, thrown],
      ['answered 401', 'TypeError', 'TypeError'].map((cause) => ({ outcome: 'failed', cause })),
    );
  });
});
