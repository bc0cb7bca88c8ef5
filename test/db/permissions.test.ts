import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';
import { EXPECTED_PERMISSIONS, scanPermissions } from '../support/permissions.ts';

describe('who may do what', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('is exactly what the contract allows: no writes, reads of one’s own rows, the server’s named procedures', async () => {
    assert.deepEqual(await scanPermissions(world.owner), EXPECTED_PERMISSIONS);
  });

  it('is scanned so that a careless new table, view or function does not pass', async () => {
    for (const careless of [
      'create table public.careless (id int); grant select on public.careless to rendio_server',
      'create table public.careless (id int); alter table public.careless enable row level security; grant insert on public.careless to anon',
      'create function public.careless() returns int language sql as $$ select 1 $$',
      'create view public.careless as select * from public.refresh_tokens; grant select on public.careless to authenticated',
      'create policy careless on public.users for update to authenticated using (true)',
      'grant update (credits_remaining) on public.users to authenticated',
      `create function public.careless() returns int language sql security definer as $$ select 1 $$;
       revoke all on function public.careless from public`,
    ]) {
      const client = await world.owner.connect();
      try {
        await client.query('begin');
        await client.query(careless);
        assert.notDeepEqual(await scanPermissions(client), EXPECTED_PERMISSIONS, careless);
      } finally {
        await client.query('rollback');
        client.release();
      }
    }
  });

  it('refuses the server’s own role every direct write to money and state', async () => {
    const userId = await world.user(1);
    for (const statement of [
      `update users set credits_remaining = 1000 where id = '${userId}'`,
      `insert into quota_log (user_id, change, reason, balance_after) values ('${userId}', 5, 'iap_purchase', 6)`,
      `select apply_credits('${userId}', 5, 'iap_purchase', null, null)`,
      `update video_jobs set status = 'completed'`,
      `delete from rate_limit_log`,
      `insert into user_bans (user_id, reason) values ('${userId}', 'x')`,
      `update models set cost_per_generation = 1`,
    ]) {
      await assert.rejects(world.db.pool.query(statement), { code: '42501' }, statement);
    }
    assert.equal(await world.balance(userId), 1);
  });

  it('shows people their own rows, the models on offer, and nothing else', async () => {
    const [mine, other] = [await world.user(5), await world.user(5)];
    await world.job(mine);
    await world.job(other);
    const client = await world.owner.connect();
    try {
      await client.query('begin');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: mine })]);
      await client.query('set local role authenticated');
      const count = async (sql: string) => (await client.query(`select count(*)::int as n from ${sql}`)).rows[0].n;
      assert.equal(await count('users'), 1);
      assert.equal(await count(`users where id <> '${mine}'`), 0);
      assert.equal(await count('video_jobs'), 1);
      assert.equal(await count('quota_log'), 2);
      assert.equal(await count('models where not is_available'), 0);
      await client.query('set local role anon');
      assert.ok((await count('models')) > 0);
      await assert.rejects(client.query('select * from users'), { code: '42501' });
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
