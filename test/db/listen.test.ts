import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type pg from 'pg';
import { listen } from '../../src/db/listen.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { createOutage, cutSessions } from '../support/outage.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

const NAME = 'rendio-listen';

/** A listener on the channel `news`, through a connection that can be cut, with all payloads that it receives. */
async function createListener(t: TestContext) {
  const database = await createTestDatabase();
  const outage = await createOutage(database.url);
  const owner = ownerPool(database.url);
  const listener = await listen({ url: outage.url, channel: 'news', log: silentLog });
  const received: (string | null)[] = [];
  listener.subscribe((payload) => received.push(payload));
  t.after(async () => {
    await listener.close();
    await owner.end();
    await outage[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  const notify = (payload: string) => owner.query('select pg_notify($1, $2)', ['news', payload]);
  return { outage, owner, listener, received, notify };
}

const sessions = async (owner: pg.Pool): Promise<number> =>
  (
    await owner.query('select from pg_stat_activity where datname = current_database() and application_name = $1', [
      NAME,
    ])
  ).rowCount ?? 0;

describe('listening', () => {
  it('delivers each notification to every subscriber, until it unsubscribes', async (t) => {
    const { listener, received, notify } = await createListener(t);
    const other: (string | null)[] = [];
    const unsubscribe = listener.subscribe((payload) => other.push(payload));
    await notify('one');
    await until(() => received.length === 1 && other.length === 1);
    unsubscribe();
    await notify('two');
    await until(() => received.length === 2);
    assert.deepEqual([received, other], [['one', 'two'], ['one']]);
  });

  it('reconnects when its session is ended, sends null for what it may have missed, and receives again', async (t) => {
    const { owner, received, notify } = await createListener(t);
    for (let times = 1; times <= 3; times += 1) {
      assert.equal(await cutSessions(owner, NAME), 1);
      await until(() => received.filter((payload) => payload === null).length === times);
      await notify(`after ${times}`);
      await until(() => received.includes(`after ${times}`));
    }
    assert.equal(await sessions(owner), 1, 'one session, not four');
  });

  it('keeps retrying while the database is unavailable', async (t) => {
    const { outage, received, notify } = await createListener(t);
    outage.begin();
    await until(() => outage.refused >= 3);
    assert.equal(received.length, 0);
    outage.end();
    await until(() => received.includes(null));
    await notify('back');
    await until(() => received.includes('back'));
  });

  it('that is closed during an outage does not reconnect', async (t) => {
    const { outage, owner, received, listener } = await createListener(t);
    outage.begin();
    await until(() => outage.refused >= 1);
    await listener.close();
    outage.end();
    // Longer than the wait before its next attempt.
    await owner.query('select pg_sleep(0.5)');
    assert.deepEqual([await sessions(owner), received.length], [0, 0]);
  });

  it('throws where there is no database', async () => {
    const listening = listen({ url: 'postgres://user@127.0.0.1:1/none', channel: 'news', log: silentLog });
    await assert.rejects(listening, { code: 'ECONNREFUSED' });
  });
});
