/** Apple's notifications about accounts: what each does, once, in any order; and what none of them does. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, test } from 'node:test';
import { receiveAppleNotification } from '../../../src/features/accounts/apple-notification.ts';
import { createTestApp } from '../../support/app.ts';
import { appleOverrides, createTestApple } from '../../support/apple-id.ts';

const apple = await createTestApple();
const app = await createTestApp({ overrides: await appleOverrides(apple) });
after(() => app[Symbol.asyncDispose]());
afterEach(() => apple.setFault(null));

async function post(body: unknown): Promise<{ status: number; code: string | null }> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await app.fetch('/functions/v1/apple-account-notifications', init);
  const answer = JSON.parse(await response.text());
  if (response.status === 200) assert.deepEqual(answer, { success: true });
  return { status: response.status, code: answer.error?.code ?? null };
}

const accepted = { status: 200, code: null };
const notify = async (event: Record<string, unknown>, claims?: Record<string, unknown>) =>
  post({ payload: await apple.notification(event, claims) });

/** An account that signed in with Apple and sent a code. */
async function appleAccount() {
  const id = await app.user();
  const token = await app.tokenOf(id);
  const sub = `001.${randomUUID()}`;
  const body = {
    identity_token: await apple.identityToken({ sub, email: `${sub}@example.com`, email_verified: true }),
    authorization_code: 'a-code',
  };
  const response = await app.fetch('/functions/v1/merge-guest-user', {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200);
  return { id, sub, token };
}

async function statusOf(token: string): Promise<number> {
  const response = await app.fetch('/functions/v1/get-user-credits', { headers: { Authorization: `Bearer ${token}` } });
  return response.status;
}

async function rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await app.owner.query(sql, values)).rows;
}
const tokensOf = (id: string) => rows('select 1 from apple_tokens where user_id = $1', [id]);
const emailOf = async (id: string) => {
  const sql = `select u.email, i.is_email_enabled as enabled, i.is_private_email as private
               from users u join apple_identities i on i.user_id = u.id where u.id = $1`;
  return (await rows<{ email: string; enabled: boolean; private: boolean }>(sql, [id]))[0];
};
/** Everything that a notification can change. */
const everything = () =>
  rows(
    `select (select json_agg(u order by id) from users u) as users,
       (select json_agg(s order by id) from sessions s) as sessions,
       (select json_agg(i order by user_id) from apple_identities i) as identities,
       (select json_agg(t order by user_id) from apple_tokens t) as tokens,
       (select json_agg(n order by notification_id) from apple_account_notifications n) as notifications`,
  );

test('consent-revoked ends at once the sessions that were open before it, and forgets Apple’s token', async () => {
  const { id, sub, token } = await appleAccount();
  const stranger = await appleAccount();
  assert.equal((await tokensOf(id)).length, 1);
  const revokedAt = Date.now();
  // Opened after the person signed in again: the notification arrives late.
  await app.owner.query(`update sessions set created_at = created_at - interval '1 hour' where user_id = $1`, [id]);
  await app.owner.query(`update apple_tokens set created_at = created_at - interval '1 hour' where user_id = $1`, [id]);
  const later = await app.tokenOf(id);
  await app.owner.query(
    `update sessions set created_at = clock_timestamp() + interval '1 minute' where user_id = $1 and created_at > now() - interval '30 minutes'`,
    [id],
  );
  assert.deepEqual(await notify({ type: 'consent-revoked', sub, event_time: revokedAt }), accepted);
  assert.deepEqual([await statusOf(token), await statusOf(later)], [401, 200]);
  assert.equal((await tokensOf(id)).length, 0);
  assert.deepEqual([await statusOf(stranger.token), (await tokensOf(stranger.id)).length], [200, 1]);
});

test('consent-revoked keeps a token that Apple gave after it', async () => {
  const { id, sub } = await appleAccount();
  assert.deepEqual(await notify({ type: 'consent-revoked', sub, event_time: Date.now() - 3600_000 }), accepted);
  assert.equal((await tokensOf(id)).length, 1);
});

test('consent-revoked with a time in seconds ends the sessions before it, and no later ones', async () => {
  const { id, sub, token } = await appleAccount();
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
  assert.deepEqual(await notify({ type: 'consent-revoked', sub, event_time: anHourAgo }), accepted);
  assert.equal(await statusOf(token), 200);
  await app.owner.query(`update sessions set created_at = created_at - interval '2 hours' where user_id = $1`, [id]);
  assert.deepEqual(await notify({ type: 'consent-revoked', sub, event_time: anHourAgo }), accepted);
  assert.equal(await statusOf(token), 401);
});

test('consent-revoked with a time in the future spares the sessions that are opened after it arrived', async () => {
  const { id, sub, token } = await appleAccount();
  assert.deepEqual(await notify({ type: 'consent-revoked', sub, event_time: Date.now() + 86_400_000 }), accepted);
  assert.equal(await statusOf(token), 401);
  assert.equal(await statusOf(await app.tokenOf(id)), 200);
});

for (const type of ['account-delete', 'account-deleted']) {
  test(`${type} deletes the account, and has Apple’s token revoked`, async () => {
    const { id, sub, token } = await appleAccount();
    apple.calls.length = 0;
    assert.deepEqual(await notify({ type, sub }), accepted);
    assert.equal(await statusOf(token), 401);
    const [user] = await rows<Record<string, unknown>>('select * from users where id = $1', [id]);
    assert.ok(user?.deleted_at);
    assert.deepEqual([user.email, user.apple_sub, user.device_id], [null, null, null]);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(
      apple.calls.map(({ path }) => path),
      ['/auth/revoke'],
    );
    assert.deepEqual(await rows('select 1 from apple_revocations'), []);
    assert.deepEqual(await notify({ type, sub }), accepted, 'another one finds no account');
    await app.assertSound();
  });
}

test('of the changes of an e-mail address the newest counts, in whatever order they arrive', async () => {
  const now = Date.now();
  const events = [
    { type: 'email-disabled', event_time: now - 3000, email: 'one@privaterelay.appleid.com', is_private_email: 'true' },
    { type: 'email-enabled', event_time: now - 2000, email: 'two@privaterelay.appleid.com', is_private_email: 'true' },
    { type: 'email-disabled', event_time: now - 1000, email: 'three@example.com', is_private_email: 'false' },
  ];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const order of orders) {
    const { id, sub } = await appleAccount();
    for (const at of order) assert.deepEqual(await notify({ ...events[at], sub }), accepted);
    const expected = { email: 'three@example.com', enabled: false, private: false };
    assert.deepEqual(await emailOf(id), expected, order.join());
  }
});

test('a change of the address without one leaves it, and one that cannot be kept is none', async () => {
  const { id, sub } = await appleAccount();
  const email = `${sub}@example.com`;
  assert.deepEqual(await notify({ type: 'email-disabled', sub, event_time: Date.now() - 10 }), accepted);
  assert.deepEqual(await emailOf(id), { email, enabled: false, private: false });
  assert.deepEqual(await notify({ type: 'email-enabled', sub, email: 'a\u0000@b.c', is_private_email: 7 }), accepted);
  assert.deepEqual(await emailOf(id), { email, enabled: true, private: false });
});

test('a notification has its effect once, however often and at once it arrives', async () => {
  const { id, sub, token } = await appleAccount();
  const payload = await apple.notification({ type: 'consent-revoked', sub });
  const all = await Promise.all(Array.from({ length: 5 }, () => post({ payload })));
  assert.deepEqual(all, Array(5).fill(accepted));
  assert.equal(await statusOf(token), 401);
  const later = await app.tokenOf(id);
  await app.owner.query(`update sessions set created_at = created_at - interval '1 hour' where user_id = $1`, [id]);
  assert.deepEqual(await post({ payload }), accepted);
  assert.equal(await statusOf(later), 200);
});

test('an event may be a JSON text, an object, or a list of one', async () => {
  for (const write of [JSON.stringify, (event: object) => event, (event: object) => [event]]) {
    const { sub, token } = await appleAccount();
    const events = write({ type: 'consent-revoked', sub, event_time: Date.now() });
    assert.deepEqual(await notify({}, { events }), accepted);
    assert.equal(await statusOf(token), 401);
  }
});

test('unknown types and unknown persons are accepted without effect', async () => {
  const { sub, token } = await appleAccount();
  const unknown = [
    { type: 'account-transferred', sub },
    { type: 'CONSENT-REVOKED', sub },
    { type: 'x'.repeat(300), sub },
    { type: 'new', sub: undefined },
    { type: 'account-delete', sub: undefined },
    { type: 'account-delete', sub: `001.${randomUUID()}` },
    { type: 'consent-revoked', sub: sub.toUpperCase() },
  ];
  const users = JSON.stringify(await rows('select * from users order by id'));
  for (const event of unknown) assert.deepEqual(await notify(event), accepted);
  assert.equal(JSON.stringify(await rows('select * from users order by id')), users);
  assert.equal(await statusOf(token), 200);
  const kept = await rows<{ has_effect: boolean }>(
    'select has_effect from apple_account_notifications where type = $1',
    ['account-transferred'],
  );
  assert.deepEqual(kept, [{ has_effect: false }]);
});

test('what Apple has not signed for this app is 401, and what is no notification 400, without effect', async () => {
  const { sub } = await appleAccount();
  const event = { type: 'account-delete', sub };
  const events = JSON.stringify({ ...event, event_time: Date.now() });
  const payload = await apple.notification(event);
  const [head, body, signature] = payload.split('.');
  const others = (await apple.notification({ type: 'x', sub })).split('.')[1];
  const now = Math.floor(Date.now() / 1000);
  const refused: [string, string][] = [
    ['signed by another', await apple.foreignToken({ jti: 'a', events })],
    ['signed by an unknown key', await apple.foreignToken({ jti: 'a', events }, 'unknown')],
    ['without a signature', `${head}.${body}.`],
    ['with the signature of another', `${head}.${others}.${signature}`],
    ['for another app', await apple.notification(event, { aud: 'com.example.other' })],
    ['for two apps', await apple.notification(event, { aud: ['com.example.rendio', 'com.example.other'] })],
    ['from another issuer', await apple.notification(event, { iss: 'https://appleid.apple.com.example' })],
    ['expired', await apple.notification(event, { exp: now - 60 })],
    ['from the future', await apple.notification(event, { iat: now + 60 })],
    ['an identity token', await apple.identityToken({ sub })],
    ['without an id', await apple.notification(event, { jti: undefined })],
    ['without an event', await apple.notification(event, { events: undefined })],
    ['with an event that is no JSON', await apple.notification(event, { events: '{' })],
    ['no token', 'x'],
    ['an access token of ours', await app.tokenOf(await app.user())],
  ];
  const before = await everything();
  for (const [what, text] of refused)
    assert.deepEqual(await post({ payload: text }), { status: 401, code: 'ERR_4005' }, what);
  const shapeless = [
    {},
    { payload: null },
    { payload: '' },
    { payload: 7 },
    { payload: [payload] },
    { payload: { payload } },
    { signedPayload: payload },
    { payload: 'a'.repeat(20_001) },
  ];
  for (const wrong of shapeless)
    assert.deepEqual(await post(wrong), { status: 400, code: 'ERR_4006' }, JSON.stringify(wrong).slice(0, 60));
  for (const wrong of [[], 'x', null]) assert.equal((await post(wrong)).status, 400);
  assert.deepEqual(await everything(), before);
});

test('while Apple’s keys cannot be had, a notification is 503, so that Apple sends it again, and then it counts', async () => {
  const own = await createTestApple();
  const { appleIdentity } = await appleOverrides(own);
  const { sub, token } = await appleAccount();
  const ctx = { ...app.ctx, appleIdentity };
  own.setFault(() => new Response('busy', { status: 503 }));
  const payload = await own.notification({ type: 'consent-revoked', sub });

  const before = await everything();
  await assert.rejects(receiveAppleNotification(ctx, payload), { code: 'ERR_5006', status: 503 });
  assert.deepEqual(await everything(), before);
  own.setFault(null);
  // Past the pause between two tries.
  const again = { ...ctx, appleIdentity: (await appleOverrides(own)).appleIdentity };
  await receiveAppleNotification(again, payload);
  assert.equal(await statusOf(token), 401);
});
