import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { createTestApp } from '../../support/app.ts';
import { appleOverrides, createTestApple } from '../../support/apple-id.ts';
import { addCredits } from '../../support/procedures.ts';

const apple = await createTestApple();
const app = await createTestApp({ overrides: await appleOverrides(apple) });
after(() => app[Symbol.asyncDispose]());

async function call(token: string, path: string, body?: object) {
  const init = { headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } };
  const response = await app.fetch(
    `/functions/v1/${path}`,
    body === undefined ? init : { ...init, method: 'POST', body: JSON.stringify(body) },
  );
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') };
}

async function merge(token: string, claims: object, more: object = {}) {
  const identity_token = await apple.identityToken({ ...claims });
  return call(token, 'merge-guest-user', { identity_token, ...more });
}

async function guest(credits = 10) {
  const id = await app.user(credits);
  return { id, token: await app.tokenOf(id) };
}

/** An account that signed in with Apple. */
async function appleAccount(sub: string, credits = 0) {
  const { id, token } = await guest(credits);
  assert.equal((await merge(token, { sub })).status, 200);
  return { id, token };
}

async function ledger(id: string) {
  const sql = 'select change, reason, balance_after from quota_log where user_id = $1 order by seq';
  return (await app.owner.query(sql, [id])).rows;
}

test('a guest becomes the account of an Apple user who has none', async () => {
  const { id, token } = await guest();
  const sub = `001.${randomUUID()}`;
  const merged = await merge(token, { sub, email: 'ada@example.com', email_verified: 'true' });
  assert.equal(merged.status, 200, JSON.stringify(merged.body));
  assert.equal(merged.body.user.id, id);
  assert.equal(merged.body.user.apple_sub, sub);
  assert.equal(merged.body.user.is_guest, false);
  assert.equal(merged.body.user.credits_remaining, 10);
  assert.equal(merged.body.session.user.is_anonymous, false);
  assert.ok(merged.body.session.user.email_confirmed_at);
  await app.assertSound();
});

test('a guest is merged into the account that the Apple user has, and its id and tokens address that account', async () => {
  const sub = `001.${randomUUID()}`;
  const survivor = await appleAccount(sub, 5);
  const { id, token } = await guest(7);
  const jobId = await app.generate(id);
  const merged = await merge(token, { sub });
  assert.equal(merged.status, 200, JSON.stringify(merged.body));
  assert.equal(merged.body.user.id, survivor.id);
  assert.equal(merged.body.user.credits_remaining, 11);
  assert.equal(merged.body.user.credits_total, 12);
  assert.deepEqual((await ledger(id)).at(-1), { change: -6, reason: 'account_merge', balance_after: 0 });
  assert.deepEqual((await ledger(survivor.id)).at(-1), { change: 6, reason: 'account_merge', balance_after: 11 });
  assert.equal((await call(token, 'get-user-credits')).body.credits_remaining, 11);
  assert.equal((await call(token, `get-user-credits?user_id=${id}`)).status, 200);
  assert.equal((await call(token, `get-video-status?job_id=${jobId}`)).status, 200);
  assert.equal((await call(survivor.token, `get-video-status?job_id=${jobId}`)).status, 200);
  await app.drain();
  await app.assertSound();
});

test('credits of a merged guest go to the survivor', async () => {
  const sub = `001.${randomUUID()}`;
  const survivor = await appleAccount(sub, 1);
  const { id, token } = await guest(2);
  const merged = await merge(token, { sub });
  assert.equal(merged.status, 200, JSON.stringify(merged.body));
  await addCredits(app.owner, id, 4);
  assert.equal(await app.balance(survivor.id), 7);
  await app.assertSound();
});
