/** Purchases and refunds from the outside: what the app reports, what the App Store says, and what the account has afterwards. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { ACCOUNTS, LOTS, WITHOUT_THE_APP } from './accounts-and-lots.ts';
import { BAD_DAYS } from './bad-days.ts';
import { CLAIMS } from './claims.ts';
import { REFUNDS } from './refunds.ts';
import { openShop, type Scenario, type Shop } from './shop.ts';

const TABLES: Record<string, Scenario[]> = {
  'what an app reports': CLAIMS,
  'refunds and reversals': REFUNDS,
  'without the app': WITHOUT_THE_APP,
  'accounts that merge, end or compete': ACCOUNTS,
  'lots, expiry and consumption': LOTS,
  'bad days at Apple': BAD_DAYS,
};

describe('purchases', () => {
  let shop: Shop;
  before(async () => {
    shop = await openShop({ APPLE_CONSUMPTION_CONSENT: 'on' });
  });
  after(() => shop[Symbol.asyncDispose]());
  afterEach(() => shop.people.assertUnbroken());

  for (const [table, scenarios] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const [name, play] of scenarios) it(name, () => play(shop));
    });
  }

  it('are at least sixty scenarios', () => {
    assert.ok(Object.values(TABLES).flat().length >= 60);
  });
});
