import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';
import { EXPECTED_PERMISSIONS, scanPermissions } from '../support/permissions.ts';

describe('the database’s permissions', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('are exactly those of the contract: no writes, reads of the caller’s own rows, and the server’s named procedures', async () => {
    assert.deepEqual(await scanPermissions(world.owner), EXPECTED_PERMISSIONS);
  });

  it('are scanned so that a new table, view or function with wrong permissions is found', async () => {
    for (const statement of [
      'create table public.unsafe (id int); grant select on public.unsafe to rendio_server',
      'create table public.unsafe (id int); alter table public.unsafe enable row level security; grant insert on public.unsafe to anon',
      'create function public.unsafe() returns int language sql as $$ select 1 $$',
      'create view public.unsafe as select * from public.refresh_tokens; grant select on public.unsafe to authenticated',
      'create policy unsafe on public.users for update to authenticated using (true)',
      'grant update (credits_remaining) on public.users to authenticated',
      `create function public.unsafe() returns int language sql security definer as $$ select 1 $$;
       revoke all on function public.unsafe from public`,
    ]) {
      const client = await world.owner.connect();
      try {
        await client.query('begin');
        await client.query(statement);
        assert.notDeepEqual(await scanPermissions(client), EXPECTED_PERMISSIONS, statement);
      } finally {
        await client.query('rollback');
        client.release();
      }
    }
  });

  it('reject every direct write of the server’s own role to credits and states', async () => {
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

  it('show users their own rows, the available models, and nothing else', async () => {
    const [ownId, other] = [await world.user(5), await world.user(5)];
    await world.job(ownId);
    await world.job(other);
    const client = await world.owner.connect();
    try {
      await client.query('begin');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: ownId })]);
      await client.query('set local role authenticated');
      const count = async (sql: string) => (await client.query(`select count(*)::int as n from ${sql}`)).rows[0].n;
      assert.equal(await count('users'), 1);
      assert.equal(await count(`users where id <> '${ownId}'`), 0);
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

describe('the database’s indexes', () => {
  it('begin with the columns of each foreign key, so that a deletion or a merge reads no whole table', async () => {
    await using world = await createMoneyWorld();
    const unindexed = async () => {
      const { rows } = await world.owner.query<{ finding: string }>(
        `select k.conrelid::regclass || ' ' || k.conname as finding
         from pg_constraint k
         where k.contype = 'f' and k.connamespace = 'public'::regnamespace
           and not exists (
             select from pg_index i
             where i.indrelid = k.conrelid and i.indisvalid
               and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] @> k.conkey
           )
         order by 1`,
      );
      return rows.map(({ finding }) => finding);
    };
    assert.deepEqual(await unindexed(), []);
    await world.owner.query('create table public.child (id int, user_id uuid references public.users (id))');
    assert.deepEqual(await unindexed(), ['child child_user_id_fkey']);
  });
});
