import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type pg from 'pg';
import { listen } from '../../src/db/listen.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { createOutage, cutSessions } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

const NAME = 'rendio-listen';

/** A listener on the channel `news`, over a way that can be cut, with all that it hears. */
async function createStation(t: TestContext) {
  const database = await createTestDatabase();
  const outage = await createOutage(database.url);
  const owner = ownerPool(database.url);
  const listener = await listen({ url: outage.url, channel: 'news', log: silentLog });
  const heard: (string | null)[] = [];
  listener.subscribe((payload) => heard.push(payload));
  t.after(async () => {
    await listener.close();
    await owner.end();
    await outage[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  const say = (payload: string) => owner.query('select pg_notify($1, $2)', ['news', payload]);
  return { outage, owner, listener, heard, say };
}

const sessions = async (owner: pg.Pool): Promise<number> =>
  (
    await owner.query('select from pg_stat_activity where datname = current_database() and application_name = $1', [
      NAME,
    ])
  ).rowCount ?? 0;

describe('listening', () => {
  it('tells every subscriber what is said on the channel, until it unsubscribes', async (t) => {
    const { listener, heard, say } = await createStation(t);
    const other: (string | null)[] = [];
    const unsubscribe = listener.subscribe((payload) => other.push(payload));
    await say('one');
    await until(() => heard.length === 1 && other.length === 1);
    unsubscribe();
    await say('two');
    await until(() => heard.length === 2);
    assert.deepEqual([heard, other], [['one', 'two'], ['one']]);
  });

  it('comes back when its session is ended, says that it may have missed something, and hears again', async (t) => {
    const { owner, heard, say } = await createStation(t);
    for (let times = 1; times <= 3; times += 1) {
      assert.equal(await cutSessions(owner, NAME), 1);
      await until(() => heard.filter((payload) => payload === null).length === times);
      await say(`after ${times}`);
      await until(() => heard.includes(`after ${times}`));
    }
    assert.equal(await sessions(owner), 1, 'one session, not four');
  });

  it('keeps trying while the database is away', async (t) => {
    const { outage, heard, say } = await createStation(t);
    outage.begin();
    await until(() => outage.refused >= 3);
    assert.equal(heard.length, 0);
    outage.end();
    await until(() => heard.includes(null));
    await say('back');
    await until(() => heard.includes('back'));
  });

  it('closed in the middle of an outage, it does not come back', async (t) => {
    const { outage, owner, heard, listener } = await createStation(t);
    outage.begin();
    await until(() => outage.refused >= 1);
    await listener.close();
    outage.end();
    // Longer than its next wait would be.
    await owner.query('select pg_sleep(0.5)');
    assert.deepEqual([await sessions(owner), heard.length], [0, 0]);
  });

  it('refuses to begin where there is no database', async () => {
    const away = listen({ url: 'postgres://nobody@127.0.0.1:1/none', channel: 'news', log: silentLog });
    await assert.rejects(away, { code: 'ECONNREFUSED' });
  });
});
