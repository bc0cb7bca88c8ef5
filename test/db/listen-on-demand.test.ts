import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { listenOnDemand } from '../../src/db/listen.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

async function createListener(t: TestContext) {
  const database = await createTestDatabase();
  const outage = await createOutage(database.url);
  const owner = ownerPool(database.url);
  const listener = listenOnDemand({ url: outage.url, channel: 'news', log: silentLog });
  t.after(async () => {
    await listener.close();
    await owner.end();
    await outage[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  const notify = (payload: string) => owner.query('select pg_notify($1, $2)', ['news', payload]);
  const count = `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'rendio-listen'`;
  const sessions = async (): Promise<number> => (await owner.query<{ n: number }>(count)).rows[0]?.n ?? -1;
  return { outage, listener, notify, sessions };
}

describe('listening on demand', () => {
  it('has one connection while there are subscribers, and none before or after', async (t) => {
    const { listener, notify, sessions } = await createListener(t);
    assert.equal(await sessions(), 0);
    const [received, other]: (string | null)[][] = [[], []];
    const unsubscribe = listener.subscribe((payload) => received?.push(payload));
    await until(() => received?.includes(null) ?? false);
    const unsubscribeOther = listener.subscribe((payload) => other?.push(payload));
    await until(() => other?.includes(null) ?? false);
    await notify('one');
    await until(() => (received?.includes('one') && other?.includes('one')) ?? false);
    assert.equal(await sessions(), 1);
    unsubscribe();
    await notify('two');
    await until(() => other?.includes('two') ?? false);
    assert.equal(received?.includes('two'), false);
    unsubscribeOther();
    await until(async () => (await sessions()) === 0);
    const again: (string | null)[] = [];
    listener.subscribe((payload) => again.push(payload));
    await until(() => again.includes(null));
    await notify('three');
    await until(() => again.includes('three'));
  });

  it('retries while the database is unavailable, and sends null once it is connected', async (t) => {
    const { outage, listener, notify } = await createListener(t);
    outage.begin();
    const received: (string | null)[] = [];
    listener.subscribe((payload) => received.push(payload));
    await until(() => outage.refused >= 2);
    assert.equal(received.length, 0);
    outage.end();
    await until(() => received.includes(null));
    await notify('back');
    await until(() => received.includes('back'));
  });

  it('that is closed while it connects leaves no session open', async (t) => {
    const { listener, sessions } = await createListener(t);
    listener.subscribe(() => {});
    await listener.close();
    await until(async () => (await sessions()) === 0);
  });
});
