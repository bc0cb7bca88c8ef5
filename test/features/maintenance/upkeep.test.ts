import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pruneLogs } from '../../../src/features/maintenance/worker/prune.ts';
import { reconcile } from '../../../src/features/maintenance/worker/reconcile.ts';
import { type Log, silentLog } from '../../../src/kernel/log.ts';
import { createMoneyWorld, type MoneyWorld } from '../../support/money.ts';

type Line = { fields: Record<string, unknown>; message: string };

function recordingLog(): { log: Log; errors: Line[]; infos: Line[] } {
  const [errors, infos]: [Line[], Line[]] = [[], []];
  const into = (lines: Line[]) => (fields: object, message: string) =>
    void lines.push({ fields: { ...fields }, message });
  return { log: { ...silentLog, error: into(errors), info: into(infos) }, errors, infos };
}

describe('upkeep', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('the check of the money finds a violation in any range of users', async () => {
    await world.owner.query(
      `insert into users (id, device_id) select gen_random_uuid(), 'device-' || n from generate_series(1, 2500) n`,
    );
    const { rows } = await world.owner.query<{ id: string }>('select id from users order by id');
    const broken = [rows[0], rows[1_000], rows.at(-1)].map((row) => row?.id ?? '');
    const set = (credits: number) =>
      world.owner.query(
        `begin; set local session_replication_role = replica;
         update users set credits_remaining = ${credits} where id in ('${broken.join("', '")}'); commit`,
      );
    await set(1);
    const { log, errors } = recordingLog();
    const ctx = { db: world.db, log };
    // Each breaks two rules: the sum of the ledger, and the lots.
    assert.equal(await reconcile(ctx, AbortSignal.timeout(60_000)), 6);
    const logged = errors.filter(({ message }) => message === 'a money invariant is broken');
    const subjects = logged.map(({ fields }) => String(fields.subject));
    assert.deepEqual([...new Set(subjects)].sort(), broken.sort());
    assert.match(String(logged[0]?.fields.explanation), /^Account .* has a balance of 1, but /);
    assert.equal(await reconcile(ctx, AbortSignal.timeout(60_000)), 6);
    assert.equal(errors.length, 6, 'a violation is logged once');
    await set(0);
    assert.equal(await reconcile(ctx, AbortSignal.timeout(60_000)), 0, 'what holds again is closed');
  });

  it('a check of the money that cannot finish is an error in the log', async () => {
    const call = () => Promise.reject(new Error('statement timeout'));
    const { log, errors } = recordingLog();
    const ctx = { db: { ...world.db, call }, log };
    await assert.rejects(reconcile(ctx, AbortSignal.timeout(60_000)), /statement timeout/);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['the check of the money did not finish'],
    );
  });

  it('logs are pruned in batches until none is left whose retention has passed', async () => {
    const userId = await world.user();
    await world.owner.query(
      `insert into user_events (user_id, type, created_at)
       select $1, 'credits', now() - interval '2 days' from generate_series(1, 2500)`,
      [userId],
    );
    await world.owner.query(`insert into user_events (user_id, type) values ($1, 'credits')`, [userId]);
    let batches = 0;
    const call: typeof world.db.call = (name, args) => {
      if (Object(args).kind === 'events') batches += 1;
      return world.db.call(name, args);
    };
    const { log, infos } = recordingLog();
    await pruneLogs({ db: { ...world.db, call }, log }, AbortSignal.timeout(60_000));
    assert.equal(batches, 9, 'eight full ones and the rest');
    assert.equal(infos[0]?.fields.events, 2500);
    const { rows } = await world.owner.query('select count(*)::int as n from user_events where user_id = $1', [userId]);
    assert.deepEqual(rows, [{ n: 1 }]);
  });

  it('rows of the rate limits are kept for seven days, and those that another call holds are left to the next time', async () => {
    await world.owner.query(
      `insert into rate_limit_log (action, ip_address, created_at)
       select 'upkeep', inet '198.51.100.1', now() - make_interval(days => 7, mins => case when n <= 2500 then 1 else -1 end)
       from generate_series(1, 2503) n`,
    );
    const cleanUp = async () => (await world.owner.query('select cleanup_rate_limit_logs() as n')).rows[0].n;
    const holder = await world.owner.connect();
    await holder.query('begin');
    await holder.query(
      `select from rate_limit_log where id = (select min(id) from rate_limit_log where action = 'upkeep') for update`,
    );
    assert.equal(await cleanUp(), 2499);
    await holder.query('rollback');
    holder.release();
    assert.equal(await cleanUp(), 1);
    const { rows } = await world.owner.query(`select count(*)::int as n from rate_limit_log where action = 'upkeep'`);
    assert.deepEqual(rows, [{ n: 3 }]);
  });

  it('a rate limit reads no more rows than its window has slots, whatever others have done in it', async () => {
    const userId = await world.user();
    await world.owner.query(
      `insert into rate_limit_log (action, user_id, ip_address)
       select 'generations', u.id, inet '10.0.0.0' + (row_number() over () / 5)
       from generate_series(1, 8) n, users u where u.id <> $1`,
      [userId],
    );
    await world.owner.query('analyze rate_limit_log');
    const call = `explain (analyze, buffers, format json) select rate_limit_state('generations', $1, $2, 10, interval '1 hour')`;
    const client = await world.owner.connect();
    after(() => client.release(true));
    // The plan that a busy session may come to: the same one for all values.
    await client.query('set plan_cache_mode = force_generic_plan');
    for (const keys of [
      [userId, null],
      [null, '192.0.2.7'],
    ]) {
      // The first call of a session also reads the catalogue.
      await client.query(call, keys);
      const { rows } = await client.query(call, keys);
      const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = rows[0]['QUERY PLAN'][0].Plan;
      // An index of this size is three pages deep; the whole log has hundreds.
      assert.ok(hit + read < 40, `${hit + read} pages for ${keys}`);
    }
  });
});
