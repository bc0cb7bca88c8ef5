/** The simulated push service refuses what Apple refuses, and its page answers no other website. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { apnsPages } from '../../sim/apns/pages.ts';
import { BUNDLE_ID, openApns, type TestApns } from '../support/apns.ts';

const DEVICE = 'a1'.repeat(32);
const ALERT = JSON.stringify({ aps: { alert: { title: 'Hello' } } });

describe('the simulated push service', () => {
  let apns: TestApns;
  let http2: ClientHttp2Session;
  let authorization: string;
  before(async () => {
    apns = await openApns();
    http2 = connect(apns.urls.production);
    authorization = await tokenOf({});
  });
  after(async () => {
    http2.close();
    await apns[Symbol.asyncDispose]();
  });

  async function tokenOf(change: { kid?: string; iss?: string; ageSeconds?: number; isForged?: boolean }) {
    const { keyId, teamId, privateKeyPem } = apns.credentials;
    const key = change.isForged
      ? (await generateKeyPair('ES256')).privateKey
      : await importPKCS8(privateKeyPem, 'ES256');
    const jwt = new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: change.kid ?? keyId })
      .setIssuer(change.iss ?? teamId)
      .setIssuedAt(Math.floor(Date.now() / 1000) - (change.ageSeconds ?? 0));
    return `bearer ${await jwt.sign(key)}`;
  }
  function post(headers: Record<string, string>, body = ALERT): Promise<{ status: number; text: string }> {
    const given = { authorization, 'apns-topic': BUNDLE_ID, 'apns-id': randomUUID(), ...headers };
    const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
    return new Promise((resolve, reject) => {
      const stream = http2.request({ ':method': 'POST', ':path': `/3/device/${DEVICE}`, ...named });
      let [status, text] = [0, ''];
      stream.setEncoding('utf8');
      stream.on('response', (reply) => {
        status = Number(reply[':status']);
      });
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => resolve({ status, text }));
      stream.on('error', reject);
      stream.end(body);
    });
  }

  it('refuses what Apple refuses, with its reason', async () => {
    const cases: [Record<string, string>, number, string, string?][] = [
      [{ ':path': '/2/device/x' }, 404, 'BadPath'],
      [{ ':method': 'PUT' }, 405, 'MethodNotAllowed'],
      [{ ':path': '/3/device/' }, 400, 'MissingDeviceToken'],
      [{ ':path': '/3/device/not-hexadecimal' }, 400, 'BadDeviceToken'],
      [{ 'apns-topic': '' }, 400, 'MissingTopic'],
      [{ 'apns-topic': 'com.example.other' }, 400, 'TopicDisallowed'],
      [{ 'apns-push-type': 'shout' }, 400, 'InvalidPushType'],
      [{ 'apns-priority': '11' }, 400, 'BadPriority'],
      [{ 'apns-expiration': 'tomorrow' }, 400, 'BadExpirationDate'],
      [{ 'apns-id': 'mine' }, 400, 'BadMessageId'],
      [{ 'apns-collapse-id': 'x'.repeat(65) }, 400, 'BadCollapseId'],
      [{}, 400, 'PayloadEmpty', ''],
      [{}, 400, 'PayloadEmpty', '{"alert":"no aps"}'],
      [{}, 413, 'PayloadTooLarge', JSON.stringify({ aps: {}, filler: 'x'.repeat(4096) })],
      [{ authorization: '' }, 403, 'MissingProviderToken'],
      [{ authorization: await tokenOf({ kid: 'UNKNOWN000' }) }, 403, 'InvalidProviderToken'],
      [{ authorization: await tokenOf({ iss: 'OTHERTEAM0' }) }, 403, 'InvalidProviderToken'],
      [{ authorization: await tokenOf({ isForged: true }) }, 403, 'InvalidProviderToken'],
      [{ authorization: await tokenOf({ ageSeconds: -600 }) }, 403, 'InvalidProviderToken'],
      [{ authorization: await tokenOf({ ageSeconds: 3_700 }) }, 403, 'ExpiredProviderToken'],
    ];
    assert.equal((await post({})).status, 200);
    for (const [headers, status, reason, body] of cases) {
      const answer = await post(headers, body);
      assert.deepEqual([answer.status, JSON.parse(answer.text).reason], [status, reason], JSON.stringify(headers));
    }
    const another = await post({ authorization: await tokenOf({ ageSeconds: 5 }) });
    assert.deepEqual([another.status, JSON.parse(another.text).reason], [429, 'TooManyProviderTokenUpdates']);
    assert.equal((await apns.controls.pushes()).length, 1);
  });

  it('its page shows what devices got, and neither shows nor does anything for another website', async () => {
    const pages = apnsPages(apns);
    const calls = [
      ['GET', 'received'],
      ['POST', 'plans'],
      ['DELETE', 'plans'],
      ['POST', 'go-away'],
    ] as const;
    for (const [method, path] of calls) {
      const url = `http://localhost:8787/dev/apple/pushes/${path}`;
      for (const headers of [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://example.com' }, { Origin: 'null' }]) {
        const response = await pages.request(url, { method, headers });
        assert.equal(response.status, 403, `${method} ${path}`);
        assert.ok(!(await response.text()).includes(DEVICE));
      }
    }
    const received = await (await pages.request('http://localhost:8787/dev/apple/pushes/received')).json();
    assert.deepEqual([received.pushes.length, received.pushes[0].token], [1, DEVICE]);
    const refused = await pages.request('http://localhost:8787/dev/apple/pushes/plans', {
      ...{ method: 'POST', body: JSON.stringify({ silence: 'shout' }) },
    });
    assert.equal(refused.status, 400);
  });
});
