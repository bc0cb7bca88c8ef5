/** What an identity token and a notification have to be, claim by claim. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type AppleIdentity, createAppleIdentity } from '../../src/apple/identity-token.ts';
import { BUNDLE_ID, type Claims, createTestApple, ISSUER, SERVICE_ID, type TestApple } from '../support/apple-id.ts';

const NOW = new Date('2026-11-23T10:00:00.500Z');
const SECONDS = Math.floor(NOW.getTime() / 1000);
const clock = { now: () => NOW };
const SUB = '001234.0123456789abcdef0123456789abcdef.0910';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('an identity token', () => {
  let apple: TestApple;
  let identity: AppleIdentity;
  before(async () => {
    apple = await createTestApple({ clock });
    const clientIds = [BUNDLE_ID, SERVICE_ID];
    identity = createAppleIdentity({ clientIds, baseUrl: `${ISSUER}/`, fetch: apple.fetch, clock });
  });

  async function userOf(claims: Claims, nonce: string | null = null) {
    const answer = await identity.verifyToken(await apple.identityToken({ sub: SUB, ...claims }), nonce);
    assert.equal(answer.state, 'verified', JSON.stringify([claims, answer]));
    return answer.state === 'verified' ? answer.user : assert.fail();
  }
  async function causeOf(claims: Claims, nonce: string | null = null): Promise<string> {
    const answer = await identity.verifyToken(await apple.identityToken({ sub: SUB, ...claims }), nonce);
    assert.equal(answer.state, 'refused', JSON.stringify(claims));
    return answer.state === 'refused' ? answer.cause : assert.fail();
  }

  test('names the person, for whom it was made, and how long it counts', async () => {
    assert.deepEqual(await userOf({ email: 'Ada@Example.com', email_verified: true, is_private_email: true }), {
      sub: SUB,
      email: 'Ada@Example.com',
      isEmailVerified: true,
      isPrivateEmail: true,
      clientId: BUNDLE_ID,
      expiresAt: new Date((SECONDS + 600) * 1000),
    });
  });

  test('may come from either of Apple’s issuers, and from no other', async () => {
    for (const iss of [ISSUER, 'https://account.apple.com']) await userOf({ iss });
    const others = [
      `${ISSUER}/`,
      'appleid.apple.com',
      'http://appleid.apple.com',
      'https://accounts.google.com',
      '',
      null,
      [ISSUER],
    ];
    for (const iss of [...others, undefined]) await causeOf({ iss });
  });

  test('has exactly one audience, the app or one of its services ids, as a text', async () => {
    assert.equal((await userOf({ aud: SERVICE_ID })).clientId, SERVICE_ID);
    const others = [
      'com.example.other',
      BUNDLE_ID.toUpperCase(),
      `${BUNDLE_ID} `,
      '',
      [BUNDLE_ID],
      [BUNDLE_ID, 'com.example.other'],
      [],
      null,
    ];
    for (const aud of [...others, undefined]) await causeOf({ aud });
  });

  test('may say a flag as a boolean or as a text; anything else is no flag', async () => {
    for (const [written, meant] of [
      [true, true],
      ['true', true],
      [false, false],
      ['false', false],
      ['yes', false],
      [1, false],
      [null, false],
      [undefined, false],
    ] as const) {
      const user = await userOf({ email: 'a@b.c', email_verified: written, is_private_email: written });
      assert.deepEqual([user.isEmailVerified, user.isPrivateEmail], [meant, meant], String(written));
    }
  });

  test('without a usable address names the person without one', async () => {
    const unusable = [undefined, null, '', 7, 'a'.repeat(321), 'a\u0000@b.c', 'a b@c.d', 'a\u202eb@c.d', 'a\ud800@b.c'];
    for (const email of unusable) assert.equal((await userOf({ email })).email, null);
    for (const email of ['ü@example.com', 'x@privaterelay.appleid.com'])
      assert.equal((await userOf({ email })).email, email);
  });

  test('has the lower-case hex SHA-256 of the raw nonce, if and only if the raw nonce is sent', async () => {
    const raw = 'a-raw-nonce';
    await userOf({ nonce: sha256(raw) }, raw);
    await userOf({ nonce: sha256('') }, '');
    await userOf({ nonce: sha256('ü\u0000') }, 'ü\u0000');
    const base64 = createHash('sha256').update(raw).digest('base64');
    for (const nonce of [
      sha256(raw).toUpperCase(),
      raw,
      sha256(sha256(raw)),
      sha256('another'),
      base64,
      `${sha256(raw)} `,
      '',
      7,
      null,
    ])
      await causeOf({ nonce }, raw);
    await causeOf({ nonce: sha256(raw) }, sha256(raw));
    await causeOf({ nonce: sha256(raw) }, null);
    await causeOf({ nonce: undefined }, raw);
    await causeOf({ nonce: '' }, null);
    await causeOf({ nonce: sha256(raw), nonce_supported: false }, null);
  });

  test('counts from its issue to its expiry, with five seconds for the difference of two clocks', async () => {
    for (const claims of [{ iat: SECONDS + 5 }, { exp: SECONDS - 4 }, { iat: SECONDS - 86_400 }, { nbf: SECONDS + 5 }])
      await userOf(claims);
    const wrong: Claims[] = [
      { iat: SECONDS + 6 },
      { iat: undefined },
      { iat: `${SECONDS}` },
      { exp: SECONDS - 5 },
      { exp: SECONDS - 86_400 },
      { exp: undefined },
      { exp: `${SECONDS + 600}` },
      { exp: 1e300 },
      { nbf: SECONDS + 6 },
    ];
    for (const claims of wrong) await causeOf(claims);
  });

  test('names one person by a short text without unusual characters', async () => {
    const wrong = [
      undefined,
      null,
      '',
      7,
      {},
      [SUB],
      ' ',
      `${SUB} `,
      `${SUB}\n`,
      `${SUB}\u0000`,
      `${SUB}\u200b`,
      `００1234.a`,
      'a'.repeat(256),
    ];
    for (const sub of wrong) await causeOf({ sub });
    await userOf({ sub: 'a'.repeat(255) });
  });

  test('is refused before any key is fetched if it is too long or no token at all', async () => {
    const fresh = await createTestApple({ clock });
    const other = createAppleIdentity({ clientIds: [BUNDLE_ID], baseUrl: ISSUER, fetch: fresh.fetch, clock });
    const token = await fresh.identityToken({ sub: SUB });
    const noTokens = [
      '',
      '.',
      '..',
      'a.b.c',
      token.slice(0, token.indexOf('.')),
      `${token}.x`,
      `${token}${'a'.repeat(10_000)}`,
      'null',
    ];
    for (const text of noTokens)
      assert.equal((await other.verifyToken(text, null)).state, 'refused', text.slice(0, 20));
    assert.equal(fresh.keyFetches(), 0);
  });

  test('is neither good nor bad while Apple’s keys cannot be had', async () => {
    const down = await createTestApple({ clock });
    down.setFault(() => new Response('busy', { status: 503 }));
    const other = createAppleIdentity({ clientIds: [BUNDLE_ID], baseUrl: ISSUER, fetch: down.fetch, clock });
    for (const token of [await down.identityToken(), await down.foreignToken({}, 'invented')])
      assert.equal((await other.verifyToken(token, null)).state, 'unavailable');
    assert.equal(
      (await other.verifyNotification(await down.notification({ type: 'x', sub: SUB }))).state,
      'unavailable',
    );
  });

  test('is no notification, and a notification is no identity token', async () => {
    const [token, notification] = [
      await apple.identityToken(),
      await apple.notification({ type: 'account-delete', sub: SUB }),
    ];
    assert.equal((await identity.verifyNotification(token)).state, 'refused');
    assert.equal((await identity.verifyToken(notification, null)).state, 'refused');
  });

  async function notified(event: object, claims: Claims = {}) {
    const answer = await identity.verifyNotification(await apple.notification({ sub: SUB, ...event }, claims));
    return answer.state === 'verified' ? answer.notification : answer;
  }

  test('beside it, a notification says what happened, as a text, an object or a list of one', async () => {
    const event = {
      type: 'email-disabled',
      sub: SUB,
      event_time: NOW.getTime() - 1500,
      email: 'x@y.z',
      is_private_email: 'true',
    };
    const expected = {
      id: 'n1',
      type: 'email-disabled',
      sub: SUB,
      at: new Date(NOW.getTime() - 1500),
      email: 'x@y.z',
      isPrivateEmail: true,
    };
    for (const events of [JSON.stringify(event), event, [event], JSON.stringify([event])])
      assert.deepEqual(await notified({}, { jti: 'n1', events }), expected);
    for (const events of ['', 'null', '[]', '{', 7, null, undefined, [], {}, { sub: SUB }, [event, event]])
      assert.deepEqual(await notified({}, { events }), { state: 'refused', cause: 'ERR_CLAIMS', fault: 'other' });
  });

  test('beside it, a notification’s time is in milliseconds or in seconds, and never in the future', async () => {
    const timeOf = async (event_time: unknown) => {
      const found = await notified({ type: 'consent-revoked', event_time });
      return 'at' in found ? found.at.getTime() : assert.fail();
    };
    assert.equal(await timeOf(NOW.getTime() - 1), NOW.getTime() - 1);
    assert.equal(await timeOf(String(NOW.getTime() - 1)), NOW.getTime() - 1);
    assert.equal(await timeOf(SECONDS - 60), (SECONDS - 60) * 1000);
    for (const future of [NOW.getTime() + 1, SECONDS + 60, 1e16, 1e300])
      assert.equal(await timeOf(future), NOW.getTime());
    // Then it is the time of the notification.
    for (const none of [undefined, null, 0, -1, 'soon', {}])
      assert.equal(await timeOf(none), SECONDS * 1000, String(none));
  });

  test('beside it, a notification of an unknown type is verified, whatever it names', async () => {
    assert.equal(Object(await notified({ type: 'account-deleted' })).type, 'account-delete');
    assert.equal(Object(await notified({ type: 'x'.repeat(200) })).type.length, 50);
    assert.equal(Object(await notified({ type: 'new', sub: undefined })).sub, null);
    for (const claims of [
      { jti: undefined },
      { jti: '' },
      { jti: 'a\u0000' },
      { jti: 'a'.repeat(201) },
      { aud: 'com.example.other' },
    ])
      assert.equal(Object(await notified({ type: 'new' }, claims)).state, 'refused', JSON.stringify(claims));
  });
});
