import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it, type TestContext } from 'node:test';
import { openSession } from '../../../src/features/accounts/session.ts';
import { until } from '../../media/until.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';

const people = await createPeople();
const { app } = people;
after(() => app[Symbol.asyncDispose]());

async function anotherSession({ id }: Person): Promise<Person> {
  const { accessToken, refreshToken } = await openSession(app.ctx, id);
  return { id, token: accessToken, refreshToken };
}

const list = async (token: string): Promise<{ id: string; is_current: boolean }[]> =>
  (await people.call(token, 'get-sessions')).body.sessions;
const current = async (token: string): Promise<string> =>
  (await list(token)).find(({ is_current }) => is_current)?.id ?? '';
const revoke = (token: string, session_id: string) => people.call(token, 'revoke-session', { session_id });

async function openStream(t: TestContext, token: string) {
  const response = await app.fetch('/functions/v1/job-events', { headers: { Authorization: `Bearer ${token}` } });
  const reader = response.body?.getReader();
  assert.ok(reader);
  t.after(() => reader.cancel());
  const stream = { isEnded: false };
  (async () => {
    while (!(await reader.read()).done);
    stream.isEnded = true;
  })();
  return stream;
}

async function assertOut(person: Person, status = 401): Promise<void> {
  for (const read of ['get-user-credits', 'get-sessions', 'job-events'])
    assert.equal((await people.call(person.token, read)).status, status, read);
}

describe('the sessions of an account', () => {
  it('are listed with their times, the caller’s own marked, without those that have ended', async () => {
    const first = await people.guest();
    const second = await anotherSession(first);
    const sessions = (await people.call(second.token, 'get-sessions')).body.sessions;
    assert.equal(sessions.length, 2);
    for (const session of sessions) {
      assert.deepEqual(Object.keys(session), ['id', 'created_at', 'refreshed_at', 'is_current']);
      assert.match(session.created_at, /Z$/);
    }
    assert.equal(sessions.filter(({ is_current }: { is_current: boolean }) => is_current).length, 1);
    assert.notEqual(await current(first.token), await current(second.token));
    await people.rows(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [
      await current(first.token),
    ]);
    assert.equal((await list(second.token)).length, 1);
  });

  it('end at once when they are revoked: tokens that are out, refresh, and open streams; the others go on', async (t) => {
    const first = await people.guest();
    const second = await anotherSession(first);
    const [ended, kept] = [await openStream(t, second.token), await openStream(t, first.token)];
    const id = await current(second.token);
    assert.equal((await revoke(first.token, id)).status, 200);
    await assertOut(second);
    assert.equal((await people.refresh(second.refreshToken)).status, 400);
    await until(() => ended.isEnded);
    assert.equal(kept.isEnded, false);
    assert.equal((await revoke(first.token, id)).status, 200, 'a repeat');
    assert.equal((await people.call(first.token, 'get-user-credits')).status, 200);
    // A session may end itself.
    assert.equal((await revoke(first.token, await current(first.token))).status, 200);
    await assertOut(first);
    await until(() => kept.isEnded);
  });

  it('of other accounts, unknown ones and no ids are refused without effect', async () => {
    const [mine, theirs] = [await people.guest(), await people.guest()];
    const id = await current(theirs.token);
    const [other, unknown] = [await revoke(mine.token, id), await revoke(mine.token, randomUUID())];
    assert.equal(other.status, 404);
    assert.deepEqual(other.body, unknown.body);
    for (const bad of ['x', '', null])
      assert.equal((await people.call(mine.token, 'revoke-session', { session_id: bad })).status, 400);
    assert.equal((await people.call(theirs.token, 'get-user-credits')).status, 200);
  });

  it('are those of all ids: a merged guest’s can be seen and ended by the survivor', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest()];
    const id = await current(guest.token);
    await people.merge(guest.token, { sub });
    assert.ok((await list(survivor.token)).some((session) => session.id === id));
    assert.equal(await current(guest.token), id);
    assert.equal((await revoke(survivor.token, id)).status, 200);
    await assertOut(guest);
    assert.equal((await people.refresh(guest.refreshToken)).status, 400);
  });

  it('are refused at once while the account is banned, by every token of it, and its streams end', async (t) => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest()];
    await people.merge(guest.token, { sub });
    const stream = await openStream(t, guest.token);
    await people.rows(`insert into user_bans (user_id, reason) values ($1, 'spam')`, [survivor.id]);
    for (const { token } of [survivor, guest]) {
      const answer = await people.call(token, 'get-user-credits');
      assert.deepEqual([answer.status, answer.body.error.code], [403, 'ERR_4013']);
      assert.equal((await people.generate(token)).status, 403);
    }
    await until(() => stream.isEnded);
  });

  it('end by signing out: this one, the others, or all', async () => {
    const first = await people.guest();
    const [second, third] = [await anotherSession(first), await anotherSession(first)];
    const signOut = (token: string, scope: string) =>
      app.fetch(`/auth/v1/logout?scope=${scope}`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await signOut(third.token, 'local')).status, 204);
    await assertOut(third);
    assert.equal((await signOut(second.token, 'others')).status, 204);
    await assertOut(first);
    assert.equal((await people.call(second.token, 'get-user-credits')).status, 200);
    const fourth = await anotherSession(first);
    assert.equal((await signOut(fourth.token, 'global')).status, 204);
    for (const person of [second, fourth]) await assertOut(person);
  });

  it('are not opened for an account that is deleted meanwhile, and for the survivor of one that is merged', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest()];
    await people.merge(guest.token, { sub });
    const count = async () =>
      Number((await people.rows('select count(*)::int as n from sessions where user_id = $1', [survivor.id]))[0]?.n);
    const before = await count();
    const row = {
      session_id: randomUUID(),
      token_hash: Buffer.alloc(32, 7),
      nonce: Buffer.alloc(32, 8),
      lifetime_seconds: 60,
    };
    await app.ctx.db.call('open_session', { ...row, user_id: guest.id });
    assert.equal(await count(), before + 1);
    await people.call(survivor.token, 'delete-account', {});
    await assert.rejects(openSession(app.ctx, survivor.id));
    assert.equal(await count(), 0);
  });
});
