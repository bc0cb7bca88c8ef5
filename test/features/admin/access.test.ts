/** Who gets in: administrators' tokens, links and sessions. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { sha256 } from '../../../src/kernel/hash.ts';
import { callAdmin, newAdministrator, type TestAdministrator } from '../../support/administrators.ts';
import { createPeople } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const newEmail = () => `ada.${randomUUID()}@example.com`;
const revoke = (email: string) => callAsOwner(app.owner, 'revoke_administrator', { email });
const refundOf = (userId: string, amount = 1) => ({ user_id: userId, amount, reason: 'The video was unusable.' });

async function newLink(email: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const isStored = await callAsOwner(app.owner, 'create_admin_link', {
    email,
    token_hash: Buffer.from(await sha256(token)),
  });
  assert.ok(isStored);
  return token;
}

const openByLink = (token: string) =>
  app.fetch('/functions/v1/admin-open-session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });

describe('an endpoint for administrators', () => {
  it('is 401 without a token or with a bad one, and 403 with a user’s', async () => {
    const guest = await people.guest(0);
    assert.equal((await app.fetch('/functions/v1/admin-session')).status, 401);
    assert.equal((await callAdmin(app, 'nonsense', 'admin-session')).status, 401);
    const asUser = await callAdmin(app, guest.token, 'admin-session');
    assert.deepEqual([asUser.status, asUser.body.error.code], [403, 'ERR_4005']);
    const refund = await callAdmin(app, guest.token, 'admin-refund-credits', refundOf(guest.id));
    assert.equal(refund.status, 403);
    assert.equal(await app.balance(guest.id), 0);
  });

  it('knows an administrator, whose token is 401 on endpoints for users', async () => {
    const administrator = await newAdministrator(app);
    const { status, body } = await administrator.call('admin-session');
    assert.deepEqual([status, body.email], [200, administrator.email]);
    assert.equal((await administrator.call('get-user-credits')).status, 401);
  });

  it('is 401 once the rights are revoked, the session ended or its hour over', async () => {
    const ended = await newAdministrator(app);
    assert.equal((await ended.call('admin-end-session', {})).status, 200);
    const late = await newAdministrator(app);
    await people.rows(`update admin_sessions set expires_at = now() where id = $1`, [late.sessionId]);
    const revoked = await newAdministrator(app);
    await revoke(revoked.email);
    const guest = await people.guest(0);
    for (const each of [ended, late, revoked]) {
      assert.equal((await each.call('admin-session')).status, 401);
      assert.equal((await each.call('admin-refund-credits', refundOf(guest.id))).status, 401);
    }
    assert.equal(await app.balance(guest.id), 0);
  });

  it('is 401 for the session of another administrator', async () => {
    const [one, other] = [await newAdministrator(app), await newAdministrator(app)];
    const mixed = await app.ctx.adminTokens.sign(
      { adminUserId: one.id, sessionId: other.sessionId },
      new Date(Date.now() + 60_000),
    );
    assert.equal((await callAdmin(app, mixed, 'admin-session')).status, 401);
  });
});

describe('a one-time link', () => {
  it('opens one session of an hour, and none for the second request', async () => {
    const email = newEmail();
    await callAsOwner(app.owner, 'create_administrator', { email });
    const token = await newLink(email);
    const answers = await Promise.all([openByLink(token), openByLink(token)]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401]);
    const session = await answers.find(({ status }) => status === 200)?.json();
    assert.equal(session.email, email);
    const seconds = (Date.parse(session.expires_at) - Date.now()) / 1000;
    assert.ok(seconds > 3500 && seconds <= 3600, `${seconds} s`);
    assert.equal((await callAdmin(app, session.access_token, 'admin-session')).status, 200);
  });

  it('is not good after its 15 minutes, nor once the rights are revoked', async () => {
    const email = newEmail();
    await callAsOwner(app.owner, 'create_administrator', { email });
    const late = await newLink(email);
    await people.rows(`update admin_links set expires_at = now() where token_hash = $1`, [
      Buffer.from(await sha256(late)),
    ]);
    assert.equal((await openByLink(late)).status, 401);
    const unused = await newLink(email);
    await revoke(email);
    await callAsOwner(app.owner, 'create_administrator', { email });
    assert.equal((await openByLink(unused)).status, 401);
    assert.equal((await openByLink('x')).status, 401);
  });
});

describe('giving credits back', () => {
  let administrator: TestAdministrator;
  const refund = async (body: object, key?: string) => {
    administrator ??= await newAdministrator(app);
    return administrator.call('admin-refund-credits', body, key ? { 'Idempotency-Key': key } : {});
  };
  const actionsOn = (userId: string) =>
    people.rows(`select action_type, amount, reason from admin_actions where target_user_id = $1`, [userId]);

  it('adds them, leaves what was earned, and is recorded in the same transaction', async () => {
    const guest = await people.guest(10);
    const { status, body } = await refund(refundOf(guest.id, 4));
    assert.deepEqual([status, body], [200, { success: true, new_balance: 14 }]);
    assert.deepEqual(await actionsOn(guest.id), [
      { action_type: 'credit_refund', amount: 4, reason: 'The video was unusable.' },
    ]);
    const [row] = await people.rows(`select credits_total from users where id = $1`, [guest.id]);
    assert.equal(row?.credits_total, 10);
    assert.equal((await people.ledger(guest.id)).filter(({ reason }) => reason === 'admin_refund').length, 1);
  });

  it('happens once for two requests with one key at the same time, and not at all for another request with it', async () => {
    const [guest, key] = [await people.guest(0), randomUUID()];
    const answers = await Promise.all([1, 2, 3].map(() => refund(refundOf(guest.id, 5), key)));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.new_balance]),
      Array(3).fill([200, 5]),
    );
    assert.equal(answers.filter(({ headers }) => headers.get('X-Idempotent-Replay') === 'true').length, 2);
    assert.equal((await refund(refundOf(guest.id, 6), key)).status, 422);
    assert.deepEqual([await app.balance(guest.id), (await actionsOn(guest.id)).length], [5, 1]);
  });

  for (const [what, change] of Object.entries({
    'no reason': { reason: undefined },
    'a reason of two characters': { reason: ' ab ' },
    'a reason of 501 characters': { reason: 'a'.repeat(501) },
    'a negative amount': { amount: -1 },
    'no credits': { amount: 0 },
    'half a credit': { amount: 0.5 },
    'more than 10,000 credits': { amount: 10_001 },
  })) {
    it(`is 400 with ${what}, and changes nothing`, async () => {
      const guest = await people.guest(0);
      const { status, body } = await refund({ ...refundOf(guest.id), ...change });
      assert.deepEqual([status, body.error.code, await app.balance(guest.id)], [400, 'ERR_4006', 0]);
      assert.equal(body.error.details.field, Object.keys(change)[0]);
    });
  }

  it('is 404 for an unknown or deleted account', async () => {
    const guest = await people.guest(3);
    await people.call(guest.token, 'delete-account', {});
    for (const id of [randomUUID(), guest.id]) assert.equal((await refund(refundOf(id))).status, 404);
  });

  it('needs an administrator also in the database, unless its owner asks', async () => {
    const guest = await people.guest(0);
    const args = { by: {}, user_id: guest.id, amount: 1, reason: 'by nobody' };
    assert.deepEqual(await app.ctx.db.call('admin_refund_credits', args), { outcome: 'session_ended' });
    assert.equal(await app.balance(guest.id), 0);
  });
});
