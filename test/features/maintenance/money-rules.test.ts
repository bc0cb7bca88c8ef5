/** Every rule of the money is checked in three ways: over ranges of users, over everything at once, and over what has changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSnapshot } from '../../../src/db/snapshot.ts';
import { type AuditReport, audit } from '../../../src/features/maintenance/audit.ts';
import { SENTENCES } from '../../../src/features/maintenance/violations.ts';
import { checkChanges } from '../../../src/features/maintenance/worker/check-changes.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { PLANTS, plant, seedMoney } from '../../support/broken-money.ts';
import { createMoneyWorld, type MoneyWorld } from '../../support/money.ts';

const auditAll = (world: MoneyWorld): Promise<AuditReport> =>
  readSnapshot(world.url, (snapshot) => audit(snapshot, { shownMax: 2 }));

const rangeRules = async (world: MoneyWorld) =>
  (
    await world.owner.query<{ invariant: string }>('select distinct invariant from broken_invariants() order by 1')
  ).rows.map(({ invariant }) => invariant);

/** Has the check of changes take everything for new. */
async function forgetProgress(world: MoneyWorld): Promise<void> {
  await world.owner.query(
    `update audit_progress set checked_seq = 0, checked_until = 'epoch', noted_seq = (select max(seq) from quota_log),
       noted_at = clock_timestamp() - interval '2 minutes';
     update video_jobs set completed_at = completed_at - interval '3 minutes'`,
  );
}

async function changedRules(world: MoneyWorld): Promise<string[]> {
  await forgetProgress(world);
  await checkChanges({ db: world.db, log: silentLog }, AbortSignal.timeout(60_000));
  const { rows } = await world.owner.query<{ invariant: string; violations: number }>(
    'select invariant, violations from money_checks order by 1',
  );
  return rows.filter(({ violations }) => violations > 0).map(({ invariant }) => invariant);
}

describe('the rules of the money', () => {
  it('hold for accounts with grants, purchases, refunds and merges, by every check', async () => {
    await using world = await createMoneyWorld();
    await seedMoney(world);
    assert.deepEqual(await rangeRules(world), []);
    const report = await auditAll(world);
    assert.deepEqual(report.broken, []);
    assert.ok(report.rows > 20, String(report.rows));
    assert.deepEqual(await changedRules(world), []);
    const { rows } = await world.owner.query('select count(*)::int as n from money_checks');
    assert.equal(rows[0].n, report.rules, 'each rule has its row, also while it holds');
  });

  it('are those that have a sentence for their violations, and each has a planted violation', async () => {
    await using world = await createMoneyWorld();
    const rules = (await world.db.rows('money_rules', {})).map(({ rule }) => rule).sort();
    assert.deepEqual(Object.keys(SENTENCES).sort(), rules);
    assert.deepEqual([...new Set(PLANTS.map(({ rule }) => rule))].sort(), rules);
  });

  for (const planted of PLANTS) {
    it(`${planted.rule}: ${planted.how} is found by every check, and by each the same rules are broken`, async () => {
      await using world = await createMoneyWorld();
      const accounts = await seedMoney(world);
      await plant(world, planted, accounts);
      const byRange = await rangeRules(world);
      assert.ok(byRange.includes(planted.rule), byRange.join());
      const report = await auditAll(world);
      assert.deepEqual(report.broken.map(({ rule }) => rule).sort(), byRange);
      for (const { shown } of report.broken) {
        assert.ok(
          shown.every((sentence) => !/\{|none/.test(sentence)),
          shown.join('\n'),
        );
      }
      const byChanges = await changedRules(world);
      assert.ok(byChanges.includes(planted.rule), byChanges.join());
    });
  }
});
