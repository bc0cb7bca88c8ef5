/** Nothing that a client can write makes an administrator, and an administrator's row is no account of a user. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { callAdmin, newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
const [ada, gone] = [await newAdministrator(app), await newAdministrator(app)];
await callAsOwner(app.owner, 'revoke_administrator', { email: gone.email });
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

/** Everything by which a system might take somebody for an administrator. */
const ELEVATED = {
  is_admin: true,
  admin: true,
  role: 'service_role',
  aud: 'rendio-admin',
  session_id: ada.sessionId,
  sub: ada.id,
  email: ada.email,
  email_verified: true,
};
const everyAdministrator = () =>
  people.rows('select a.*, u.is_admin from users u join administrators a on a.user_id = u.id order by u.id');
const flagged = () => people.rows('select id from users where is_admin');

async function assertNoAdministrator(token: string): Promise<void> {
  const { status, body } = await callAdmin(app, token, 'admin-session');
  assert.deepEqual([status, body.error.code], [403, 'ERR_4005']);
  assert.equal(typeof (await app.ctx.adminTokens.verify(token)), 'string');
}

describe('an administrator is made by nothing that a client can write', () => {
  it('not by metadata, an e-mail address, a profile, or the claims of an identity token', async () => {
    const before = await everyAdministrator();
    const send = async (path: string, method: string, body: object, token?: string) => {
      const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
      return app.fetch(path, { method, headers, body: JSON.stringify(body) });
    };
    const written = { ...ELEVATED, data: ELEVATED, user_metadata: ELEVATED, app_metadata: ELEVATED };
    const signedUp = await (await send('/auth/v1/signup', 'POST', { ...written, email: undefined })).json();
    const { aud: _, ...claims } = ELEVATED;
    const apple = await people.appleUser(newSub(), 0, { ...claims, sub: newSub() });
    const guest = await people.guest(0);
    for (const token of [signedUp.access_token, apple.token, guest.token]) {
      await send('/auth/v1/user', 'PUT', written, token);
      await people.call(token, 'update-user-profile', { ...written, theme_preference: 'dark' });
      await assertNoAdministrator(token);
    }
    // The next tokens carry what was written.
    const refreshed = await (
      await send('/auth/v1/token?grant_type=refresh_token', 'POST', { refresh_token: signedUp.refresh_token })
    ).json();
    await assertNoAdministrator(refreshed.access_token);
    assert.deepEqual(await everyAdministrator(), before);
    assert.deepEqual(await flagged(), [{ id: ada.id }]);
  });

  it('not by the flag of a user’s row, and an Apple user with an administrator’s address is an account of their own', async () => {
    const apple = await people.appleUser(newSub(), 0, { email: ada.email, email_verified: true });
    assert.notEqual(apple.id, ada.id);
    const profile = await people.call(apple.token, 'get-user-profile');
    assert.equal(profile.body.email, ada.email);
    await people.rows('update users set is_admin = true where id = $1', [apple.id]);
    await assertNoAdministrator(apple.token);
    await people.rows('update users set is_admin = false where id = $1', [apple.id]);
  });

  it('not by SQL of any role but the owner’s', async () => {
    const statements = [
      `update users set is_admin = true`,
      `insert into administrators (user_id, email) values (gen_random_uuid(), 'x@example.com')`,
      `insert into admin_sessions (id, admin_user_id, opened_by, expires_at) values (gen_random_uuid(), '${ada.id}', 'link', now())`,
      `insert into admin_links (token_hash, admin_user_id, expires_at) values (sha256(''), '${ada.id}', now())`,
      `select create_administrator('x@example.com')`,
      `select create_admin_link('${ada.email}', sha256(''))`,
      `select open_admin_session_by_email(gen_random_uuid(), '${ada.email}')`,
      `select revoke_administrator('${ada.email}')`,
      `select finish_admin_action('{}', 'x', 'user_ban', 'why', '{}', '{}')`,
    ];
    const client = await app.owner.connect();
    try {
      for (const role of ['anon', 'authenticated', 'service_role', 'rendio_server']) {
        for (const statement of statements) {
          await client.query('begin');
          await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(ELEVATED)]);
          await client.query(`set local role ${role}`);
          await assert.rejects(client.query(statement), /permission denied/, `${role}: ${statement}`);
          await client.query('rollback');
        }
      }
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('each of their endpoints is 403 with a user’s token and 401 without one', async () => {
    const guest = await people.guest(0);
    const document = await (await app.fetch('/openapi.json')).json();
    const routes = Object.entries<object>(document.paths)
      .filter(([path]) => path.startsWith('/functions/v1/admin-') && !path.endsWith('/admin-open-session'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })));
    assert.ok(routes.length >= 11, `${routes.length} routes`);
    for (const { path, method } of routes) {
      const headers = { 'Content-Type': 'application/json' };
      const init = method === 'GET' || method === 'HEAD' ? { method } : { method, body: '{}' };
      const asUser = { ...headers, Authorization: `Bearer ${guest.token}` };
      assert.equal((await app.fetch(path, { ...init, headers: asUser })).status, 403, `${method} ${path}`);
      assert.equal((await app.fetch(path, { ...init, headers })).status, 401, `${method} ${path}`);
    }
  });
});

describe('an administrator’s row of users', () => {
  for (const [who, { id }] of Object.entries({
    'an active administrator': ada,
    'one whose rights were revoked': gone,
  })) {
    it(`of ${who} cannot be signed into, merged, deleted, banned, charged or given credits`, async () => {
      const { db } = app.ctx;
      const session = { session_id: randomUUID(), token_hash: randomBytes(32), nonce: randomBytes(16) };
      await db.call('open_session', { user_id: id, lifetime_seconds: 60, ...session });
      assert.deepEqual(await people.rows('select from sessions where user_id = $1', [id]), []);
      const { accessToken } = await app.ctx.tokens.sign({
        userId: id,
        sessionId: randomUUID(),
        isAnonymous: false,
        amr: [],
      });
      assert.equal((await people.call(accessToken, 'get-user-credits')).status, 401);
      const linked = await db.call('link_apple_identity', {
        ...{ user_id: id, apple_sub: newSub(), is_email_verified: true, is_private_email: false, may_merge: true },
        ...{ token_hash: randomBytes(32), token_expires_at: new Date(Date.now() + 60_000) },
      });
      assert.deepEqual(linked, { outcome: 'user_not_found' });
      assert.equal(await db.call('delete_account', { user_id: id }), null);
      const added = await callAsOwner(app.owner, 'add_credits', { user_id: id, amount: 5, reason: 'admin_refund' });
      assert.deepEqual(added, { success: false, error: 'User not found' });
      for (const path of ['admin-ban-user', 'admin-unban-user', 'admin-refund-credits', 'admin-adjust-credits']) {
        assert.equal((await ada.call(path, { user_id: id, amount: 1, reason: 'A test.' })).status, 404, path);
      }
      const [row] = await people.rows('select deleted_at, apple_sub, credits_remaining from users where id = $1', [id]);
      assert.deepEqual(row, { deleted_at: null, apple_sub: null, credits_remaining: 0 });
    });

    it(`of ${who} is read through PostgREST by no one, whatever the token says`, async () => {
      const client = await app.owner.connect();
      try {
        for (const claims of [
          { sub: id },
          { ...ELEVATED, sub: id, session_id: undefined },
          { sub: id, role: 'authenticated' },
        ]) {
          await client.query('begin');
          await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
          await client.query('set local role authenticated');
          assert.deepEqual((await client.query('select id from users')).rows, []);
          await client.query('rollback');
        }
      } finally {
        await client.query('rollback');
        client.release();
      }
    });
  }
});
