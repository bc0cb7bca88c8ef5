/** Proves guards of the database by removing them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMoneyWorld, type MoneyWorld } from './money.ts';

export type Guard = {
  guarantee: string;
  /** Removes the guard from the database. */
  remove(world: MoneyWorld): Promise<void>;
  /** Attacks the guarantee; returns whether it held. */
  holds(world: MoneyWorld): Promise<boolean>;
};

/** Rewrites a stored procedure; fails when it does not contain `from`, so that a renamed guard is noticed. */
export async function rewrite(world: MoneyWorld, procedure: string, from: string, to: string): Promise<void> {
  const { rows } = await world.owner.query(
    `select pg_get_functiondef(oid) as source from pg_proc where proname = $1 and pronamespace = 'public'::regnamespace`,
    [procedure],
  );
  const source: string = rows[0].source;
  assert.ok(source.includes(from), `${procedure} no longer contains: ${from}`);
  await world.owner.query(source.replaceAll(from, to));
}

/** As `rewrite`, but also succeeds where the procedure is already rewritten. */
export async function rewriteOnce(world: MoneyWorld, procedure: string, from: string, to: string): Promise<void> {
  await rewrite(world, procedure, from, to).catch(() => {});
}

/**
 * Runs the attackers at once and returns whether every invariant of the ledger still holds; with `withLots` those of the lots
 * too. A rejected attacker is not a failure.
 */
export async function survives(
  world: MoneyWorld,
  attackers: (() => Promise<unknown>)[],
  { withLots = false } = {},
): Promise<boolean> {
  await Promise.allSettled(attackers.map((attack) => attack()));
  const { rows } = await world.owner.query('select * from broken_invariants()');
  return rows.every(({ invariant }) => !withLots && /\blots?\b/.test(invariant));
}

export const asOwner = (world: MoneyWorld, sql: string, values: unknown[] = []) => world.owner.query(sql, values);

/** A test for each: with its guard the guarantee holds, without it the same attack breaks it. */
export function proveGuards(name: string, guards: readonly Guard[]): void {
  describe(name, () => {
    for (const guard of guards) {
      it(`${guard.guarantee}: holds with its guard, and breaks without it`, async () => {
        await using world = await createMoneyWorld();
        assert.equal(await guard.holds(world), true, 'with the guard the guarantee holds');
        await guard.remove(world);
        assert.equal(await guard.holds(world), false, 'without the guard the attack succeeds');
      });
    }
  });
}
