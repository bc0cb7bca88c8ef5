/** The figures of the money that metrics show: those of the whole ledger, at any moment, from totals that are kept. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ledgerFigures, readMoneyFigures } from '../../../src/features/maintenance/money-figures.ts';
import { checkChanges } from '../../../src/features/maintenance/worker/check-changes.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { until } from '../../media/until.ts';
import { seedMoney } from '../../support/broken-money.ts';
import { createMoneyWorld, type MoneyWorld } from '../../support/money.ts';
import { openShop } from '../purchases/shop.ts';

describe('the figures of the money', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const check = () => checkChanges({ db: world.db, log: silentLog }, AbortSignal.timeout(60_000));
  const shown = async () => {
    const { moved, outstanding } = await readMoneyFigures({ db: world.db });
    return { moved: Object.fromEntries(moved.map(({ reason, credits }) => [reason, credits])), outstanding };
  };
  /** By reading every row. */
  const counted = async () => {
    const { rows } = await world.owner.query<{ reason: string; credits: number }>(
      'select reason, sum(abs(change))::int as credits from quota_log group by reason',
    );
    const held = await world.owner.query('select sum(greatest(credits_remaining, 0))::int as n from users');
    return {
      moved: Object.fromEntries(rows.map(({ reason, credits }) => [reason, credits])),
      outstanding: held.rows[0].n,
    };
  };
  const uncounted = async (): Promise<number> =>
    (
      await world.owner.query(
        'select count(*)::int as n from quota_log where seq > (select counted_seq from audit_progress)',
      )
    ).rows[0].n;

  it('are those of all rows at once, before and after each check, with debts and merges', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { buyer } = await seedMoney(world);
      // More than what remains without the purchase: its refund leaves a debt.
      await world.call('deduct_credits', { user_id: buyer, amount: 55, reason: 'admin_adjustment' });
      const { rows } = await world.owner.query('select transaction_id from purchases order by seq desc limit 1');
      await world.db.call('refund_purchase', {
        ...{ store: 'apple', environment: 'Production', transaction_id: rows[0].transaction_id },
        ...{ decided_at: new Date(), is_refund: true, percentage: 100_000 },
      });
      if (round === 1) {
        // Repays a part of it.
        await world.call('add_credits', { user_id: buyer, amount: 3, reason: 'promo_grant' });
      }
      assert.deepEqual(await shown(), await counted(), `before the check, round ${round}`);
      await check();
      assert.deepEqual(await shown(), await counted(), `in the middle of checks, round ${round}`);
      await until(async () => {
        await check();
        return (await uncounted()) === 0;
      });
      assert.deepEqual(await shown(), await counted(), `after the check, round ${round}`);
    }
    const { rows } = await world.owner.query('select min(balance_after) as lowest from quota_log');
    assert.ok(rows[0].lowest < 0, 'there was a debt');
  });

  it('count a row once, also where the check begins anew', async () => {
    const before = await counted();
    await world.owner.query(
      `update audit_progress set checked_seq = 0, noted_seq = (select max(seq) from quota_log),
         noted_at = clock_timestamp() - interval '2 minutes'`,
    );
    await world.db.call('check_changes', { limit: 3 });
    assert.deepEqual(await shown(), before, 'it is behind what was counted');
    await check();
    assert.deepEqual(await shown(), before);
  });

  it('see a row at once that is committed after rows with a higher seq', async () => {
    const [late, other] = [await world.user(1), await world.user(1)];
    const writer = await world.owner.connect();
    try {
      await writer.query('begin');
      await writer.query(`select public.add_credits($1, 5, 'promo_grant')`, [late]);
      await world.call('add_credits', { user_id: other, amount: 7, reason: 'promo_grant' });
      for (let checks = 0; checks < 3; checks += 1) await check();
      await writer.query('commit');
    } finally {
      writer.release(true);
    }
    assert.deepEqual(await shown(), await counted());
    await until(async () => {
      await check();
      return (await uncounted()) === 0;
    });
    assert.deepEqual(await shown(), await counted());
  });

  it('are read without reading the rows that are in the totals, however many there are', async () => {
    const userId = await world.user();
    await world.owner.query(
      `begin; set local session_replication_role = replica;
       insert into quota_log (user_id, change, reason, balance_after)
       select '${userId}', 1, 'promo_grant', n from generate_series(1, 20000) n;
       update audit_progress set counted_seq = (select max(seq) from quota_log);
       commit`,
    );
    await world.owner.query('analyze quota_log');
    const { sql, parameters } = ledgerFigures().compile(world.db.read);
    const { rows } = await world.owner.query(`explain (analyze, format json) ${sql}`, [...parameters]);
    const ofLedger = nodesOf(rows[0]['QUERY PLAN'][0].Plan).filter((node) => node['Relation Name'] === 'quota_log');
    assert.ok(ofLedger.length > 0);
    for (const node of ofLedger) {
      assert.deepEqual([node['Node Type'], node['Actual Rows']], ['Index Scan', 0], JSON.stringify(node));
    }
  });
});

type PlanNode = Record<string, unknown> & { Plans?: PlanNode[] };

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

describe('the purchases of a process', () => {
  it('are counted as completed or failed, by store, each once', async () => {
    await using shop = await openShop();
    const series = async () => {
      const text = (await shop.people.app.ctx.exportMetrics?.())?.text ?? '';
      return ['completed', 'failed'].map((outcome) =>
        Number(
          new RegExp(`^rendio_purchases_total\\{store="apple",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1],
        ),
      );
    };
    assert.deepEqual(await series(), [0, 0]);
    const [buyer, thief] = [await shop.guest(), await shop.guest()];
    const bought = shop.bought();
    await shop.claimById(buyer, bought.transactionId);
    await shop.claimById(buyer, bought.transactionId);
    assert.deepEqual(await series(), [1, 0], 'a repeat is no further purchase');
    await shop.claimById(thief, bought.transactionId);
    await shop.claimSigned(thief, { productId: 'com.example.unknown' });
    assert.deepEqual(await series(), [1, 2]);
    await shop.notify('ONE_TIME_CHARGE', shop.bought({ appAccountToken: buyer.id }));
    assert.deepEqual(await series(), [2, 2], 'also what Apple reports');
    shop.store.setFault(() => new Response('busy', { status: 503 }));
    await shop.claimById(buyer, '1');
    assert.deepEqual(await series(), [2, 2], 'what has no verdict yet has not failed');
  });
});
