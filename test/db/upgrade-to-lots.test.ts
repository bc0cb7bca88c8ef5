/** The upgrade of a database from before lots: every balance stays, and from then on lots hold it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { migrate } from '../../src/db/migrate.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { databaseOfVersion } from '../support/old-database.ts';
import { ownerPool } from '../support/postgres.ts';

/** The last version without lots. */
const WITHOUT_LOTS = '20261129000005_behaviour';

it('keeps every balance and debt, what was bought is spent last, and what was charged before comes back', async () => {
  await using database = await databaseOfVersion(WITHOUT_LOTS);
  const owner = ownerPool(database.url);
  const call = async (procedure: string, args: Record<string, unknown>) => {
    const list = Object.keys(args).map((name, index) => `p_${name} := $${index + 1}`);
    return (await owner.query(`select ${procedure}(${list.join(', ')}) as result`, Object.values(args))).rows[0].result;
  };
  try {
    const { rows: models } = await owner.query(`select id from models where name = 'Sandbox'`);
    const onboard = async () =>
      (await call('onboard_device', { device_id: `device-${randomUUID()}` })).user_id as string;
    const add = (user_id: string, amount: number, reason: string) => call('add_credits', { user_id, amount, reason });
    const begin = async (user_id: string) =>
      (
        await call('begin_generation', {
          ...{ user_id, idempotency_key: randomUUID(), request_hash: 'a'.repeat(64), model_id: models[0].id },
          ...{ prompt: 'a prompt', settings: { duration: 5 }, limit_account: 100, limit_address: 100 },
          ...{ limit_in_flight: 100, deadline_seconds: 1800 },
        })
      ).response.job_id as string;

    const [granted, buyer, poor, debtor, gone] = [
      ...[await onboard(), await onboard(), await onboard(), await onboard(), await onboard()],
    ] as [string, string, string, string, string];
    await add(granted, 10, 'initial_grant');
    const running = [await begin(granted), await begin(granted)] as const;
    await add(buyer, 4, 'initial_grant');
    await add(buyer, 50, 'iap_purchase');
    for (let charge = 0; charge < 7; charge += 1) await begin(buyer);
    await add(debtor, 3, 'iap_purchase');
    await owner.query(`select apply_credits($1, -10, 'apple_refund', null, null)`, [debtor]);
    await add(gone, 6, 'initial_grant');
    await owner.query('update users set deleted_at = now(), device_id = null where id = $1', [gone]);

    const balances = async () =>
      (await owner.query('select id, credits_remaining, credits_total from users order by id')).rows;
    const earlier = await balances();
    await migrate({ url: database.url, log: silentLog });
    assert.deepEqual(await balances(), earlier);
    assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
    const { rows: lots } = await owner.query(
      `select user_id, amount, remaining, is_purchased from credit_lots where source = 'opening_balance' order by amount`,
    );
    const lot = (user_id: string, amount: number, is_purchased: boolean) => ({
      ...{ user_id, amount, remaining: amount, is_purchased },
    });
    assert.deepEqual(lots, [lot(gone, 6, false), lot(granted, 8, false), lot(buyer, 47, true)]);
    assert.equal(lots.filter(({ user_id }) => user_id === poor).length, 0);

    for (const jobId of running) assert.ok(await call('fail_generation', { job_id: jobId, error_code: 'ERR_5003' }));
    await add(debtor, 10, 'iap_purchase');
    const { rows } = await owner.query('select credits_remaining from users where id = any ($1) order by 1', [
      [granted, debtor],
    ]);
    assert.deepEqual(rows, [{ credits_remaining: 3 }, { credits_remaining: 10 }]);
    assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
  } finally {
    await owner.end();
  }
});
