/** Accounts in states that no public call produces: banned, bound to Apple, deleted, in debt. Needs the database. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type pg from 'pg';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';
import { call, expectStatus } from './support/api.ts';
import { deviceCheck, newGuest, sandboxModel } from './support/guest.ts';
import { refresh } from './support/refresh.ts';
import { assertRefused } from './support/refusal.ts';
import { labelOf, USER_ROUTES } from './support/routes.ts';
import { OWN_SERVER, useServer } from './support/target.ts';

describe('with access to the database', OWN_SERVER, () => {
  let database: TestDatabase;
  let sql: pg.Pool;
  const server = useServer(async () => {
    database = await createTestDatabase();
    sql = ownerPool(database.url);
    sql.on('error', () => {});
    return { DATABASE_URL: database.url, WORKER: 'off' };
  });
  after(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });

  describe('a banned account', () => {
    let guest: Awaited<ReturnType<typeof newGuest>>;
    before(async () => {
      guest = await newGuest(server.url);
      await sql.query("insert into user_bans (user_id, reason) values ($1, 'a test')", [guest.userId]);
    });

    for (const route of USER_ROUTES) {
      test(`is 403 with its own code at ${labelOf(route)}`, async () => {
        const reply = await call(server.url, route.method, route.name + (route.query ?? ''), {
          token: guest.token,
          body: route.body,
          headers: { 'Idempotency-Key': randomUUID() },
        });
        assertRefused(reply, 403, 'ERR_4013');
        assert.equal(reply.text.includes('a test'), false, 'the reason is for administrators only');
      });
    }

    test('can neither onboard again with its device nor refresh its session', async () => {
      const body = { device_id: guest.deviceId, device_token: guest.deviceToken };
      assertRefused(await deviceCheck(server.url, body), 403, 'ERR_4013');
      const reply = expectStatus(await refresh(server.url, guest.refreshToken), 403);
      assert.equal(reply.body.error_code, 'user_banned');
    });

    test('works as before when the ban is lifted', async () => {
      await sql.query('delete from user_bans where user_id = $1', [guest.userId]);
      assert.equal(await guest.balance(), 10);
    });
  });

  test('a device id never gives access to an account that has signed in with Apple', async () => {
    const guest = await newGuest(server.url);
    await sql.query('update users set apple_sub = $2, is_guest = false where id = $1', [
      guest.userId,
      `00${randomUUID()}`,
    ]);
    const reply = await deviceCheck(server.url, { device_id: guest.deviceId, device_token: guest.deviceToken });
    if (reply.status === 200) {
      assert.notEqual(reply.body.user_id, guest.userId);
      assert.equal(reply.body.credits_remaining, 0, 'and the physical device has had its grant');
    } else assertRefused(reply, 403, 'ERR_4010');
    const profile = await guest.profile();
    assert.deepEqual([profile.is_guest, typeof profile.apple_sub], [false, 'string']);
    expectStatus(await refresh(server.url, guest.refreshToken), 200);
  });

  test('a token of a deleted account is 401 on every route', async () => {
    const guest = await newGuest(server.url);
    await sql.query('update users set deleted_at = now(), device_id = null where id = $1', [guest.userId]);
    for (const route of USER_ROUTES) {
      const reply = await call(server.url, route.method, route.name + (route.query ?? ''), {
        token: guest.token,
        body: route.body,
        headers: { 'Idempotency-Key': randomUUID() },
      });
      assertRefused(reply, 401, 'ERR_4005');
    }
    assert.equal((await refresh(server.url, guest.refreshToken)).status, 400);
  });

  test('a replay is answered even if the model is unavailable, or its price or settings have changed', async () => {
    const [guest, key] = [await newGuest(server.url), randomUUID()];
    const fields = { settings: { duration: 9, resolution: '1080p' } };
    const first = expectStatus(await guest.generate(fields, key), 200);
    const { id } = await sandboxModel(server.url);
    const schema = (await sql.query('select settings_schema from models where id = $1', [id])).rows[0].settings_schema;
    try {
      for (const [change, value] of [
        ['is_available = $2', false],
        ['cost_per_generation = $2', 7],
        ['prompt_max = $2', 5],
      ] as const) {
        await sql.query(`update models set ${change} where id = $1`, [id, value]);
        const again = await guest.generate(fields, key);
        assert.deepEqual([again.status, again.text], [200, first.text], change);
        assert.equal(again.headers.get('x-idempotent-replay'), 'true');
      }
      const duration = { type: 'integer', enum: [1], default: 1 };
      const { resolution: _, ...others } = schema.properties;
      const added = { type: 'boolean', default: true };
      for (const properties of [{ ...schema.properties, duration }, { ...others, added }, { duration }]) {
        await sql.query('update models set settings_schema = $2 where id = $1', [id, { ...schema, properties }]);
        const again = await guest.generate(fields, key);
        assert.equal(again.text, first.text, `settings ${Object.keys(properties)}`);
      }
      assertRefused(await guest.generate(fields), 400, 'ERR_4002', { field: 'model_id' });
      const { models } = (await call<{ models: { id: string }[] }>(server.url, 'GET', 'get-models')).body;
      assert.ok(models.every((model) => model.id !== id));
      assert.equal(await guest.balance(), 9);
      assert.equal((await guest.job(first.body.job_id)).credits_used, 1, 'the price of a job does not change');
    } finally {
      await sql.query(
        `update models set is_available = true, cost_per_generation = 1, prompt_max = 2000,
         settings_schema = $2 where id = $1`,
        [id, schema],
      );
    }
    await guest.cancel(first.body.job_id);
    assert.equal(await guest.balance(), 10);
  });

  test('an idempotency key is valid for a day', async () => {
    const [guest, key] = [await newGuest(server.url), randomUUID()];
    const first = expectStatus(await guest.generate({}, key), 200);
    const { rows } = await sql.query(
      'select extract(epoch from expires_at - created_at)::integer as seconds from idempotency_log where user_id = $1',
      [guest.userId],
    );
    assert.deepEqual(rows, [{ seconds: 86_400 }]);
    await sql.query("update idempotency_log set expires_at = now() - interval '1 second' where user_id = $1", [
      guest.userId,
    ]);
    const second = expectStatus(await guest.generate({}, key), 200);
    assert.notEqual(second.body.job_id, first.body.job_id);
    assert.equal(second.headers.get('x-idempotent-replay'), null);
    assert.equal(await guest.balance(), 8);
  });

  test('a debt is shown, and a generation is refused until purchases have repaid it', async () => {
    const guest = await newGuest(server.url);
    await sql.query("select apply_credits($1, -14, 'apple_refund', null, $2)", [guest.userId, randomUUID()]);
    assert.equal(await guest.balance(), -4);
    const details = assertRefused(await guest.generate(), 402, 'ERR_4001');
    assert.deepEqual(details, { required: 1, available: -4, credits_remaining: -4 });
  });
});
