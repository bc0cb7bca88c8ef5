/** How many generations a second the database charges for, for one user and for many: the cost of the row lock. */
import { globalSetup, globalTeardown } from '../test/support/global-setup.ts';
import { createMoneyWorld, type MoneyWorld } from '../test/support/money.ts';
import { printTable } from './table.ts';

const CHARGES = 1_000;
const IN_FLIGHT = 16;
const USERS = 50;

async function perSecond(world: MoneyWorld, users: string[]): Promise<number> {
  const startedAt = performance.now();
  let begun = 0;
  const lane = async () => {
    while (begun < CHARGES) {
      begun += 1;
      const { outcome } = await world.begin(users[begun % users.length] ?? '', {
        limit_account: 100_000,
        limit_in_flight: 100_000,
      });
      if (outcome !== 'created') throw new Error(outcome);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return CHARGES / ((performance.now() - startedAt) / 1000);
}

export async function benchCharges(): Promise<void> {
  await globalSetup();
  try {
    await compare();
  } finally {
    await globalTeardown();
  }
}

async function compare(): Promise<void> {
  await using world = await createMoneyWorld();
  const one = await world.user(100_000);
  const many = await Promise.all(Array.from({ length: USERS }, () => world.user(1_000)));
  await perSecond(world, many);
  const forMany = await perSecond(world, many);
  const forOne = await perSecond(world, [one]);
  printTable(
    `charges through begin_generation, ${IN_FLIGHT} at once`,
    ['', 'per second'],
    [
      ['one user', forOne.toFixed(0)],
      [`${USERS} users`, forMany.toFixed(0)],
      ['ratio', (forMany / forOne).toFixed(1)],
    ],
  );
}
