import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { listenOnDemand } from '../../src/db/listen.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

async function createStation(t: TestContext) {
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
  const say = (payload: string) => owner.query('select pg_notify($1, $2)', ['news', payload]);
  const count = `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'rendio-listen'`;
  const sessions = async (): Promise<number> => (await owner.query<{ n: number }>(count)).rows[0]?.n ?? -1;
  return { outage, listener, say, sessions };
}

describe('listening on demand', () => {
  it('holds one connection while somebody listens, and none before or after', async (t) => {
    const { listener, say, sessions } = await createStation(t);
    assert.equal(await sessions(), 0);
    const [heard, other]: (string | null)[][] = [[], []];
    const leave = listener.subscribe((payload) => heard?.push(payload));
    await until(() => heard?.includes(null) ?? false);
    const leaveToo = listener.subscribe((payload) => other?.push(payload));
    await until(() => other?.includes(null) ?? false);
    await say('one');
    await until(() => (heard?.includes('one') && other?.includes('one')) ?? false);
    assert.equal(await sessions(), 1);
    leave();
    await say('two');
    await until(() => other?.includes('two') ?? false);
    assert.equal(heard?.includes('two'), false);
    leaveToo();
    await until(async () => (await sessions()) === 0);
    const again: (string | null)[] = [];
    listener.subscribe((payload) => again.push(payload));
    await until(() => again.includes(null));
    await say('three');
    await until(() => again.includes('three'));
  });

  it('tries again while the database is away, and says when it hears', async (t) => {
    const { outage, listener, say } = await createStation(t);
    outage.begin();
    const heard: (string | null)[] = [];
    listener.subscribe((payload) => heard.push(payload));
    await until(() => outage.refused >= 2);
    assert.equal(heard.length, 0);
    outage.end();
    await until(() => heard.includes(null));
    await say('back');
    await until(() => heard.includes('back'));
  });

  it('closed while it connects, it leaves nothing behind', async (t) => {
    const { listener, sessions } = await createStation(t);
    listener.subscribe(() => {});
    await listener.close();
    await until(async () => (await sessions()) === 0);
  });
});
