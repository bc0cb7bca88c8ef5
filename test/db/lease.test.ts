import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type pg from 'pg';
import { createLease, LeaseTimeout } from '../../src/db/lease.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { cutSessions } from '../support/outage.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';

const NAME = 'rendio-lease';

/** Work that runs until `finish`. */
function createWork() {
  const finished = Promise.withResolvers<void>();
  const state = {
    hasStarted: false,
    finish: () => finished.resolve(),
    run: async () => {
      state.hasStarted = true;
      await finished.promise;
      return 'done';
    },
  };
  return state;
}

describe('a lease', () => {
  let database: TestDatabase;
  let owner: pg.Pool;
  before(async () => {
    database = await createTestDatabase();
    owner = ownerPool(database.url);
  });
  after(async () => {
    await owner.end();
    await database[Symbol.asyncDispose]();
  });
  const lease = (name: string, waitMs = 10_000) => createLease({ url: database.url, name, waitMs, log: silentLog });
  const sessions = async () =>
    (
      await owner.query('select from pg_stat_activity where datname = current_database() and application_name = $1', [
        NAME,
      ])
    ).rowCount;

  it('has one holder at a time, in one server and across servers', async () => {
    const servers = [lease('one'), lease('one'), lease('one')];
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await owner.query('select pg_sleep(0.005)');
      running -= 1;
    };
    await Promise.all(Array.from({ length: 18 }, (_, index) => servers[index % 3]?.run(work)));
    assert.equal(most, 1);
  });

  it('returns the result of its work, and is released when the work throws', async () => {
    const ownLease = lease('two');
    await assert.rejects(
      ownLease.run(async () => {
        throw new TypeError('a bug');
      }),
      TypeError,
    );
    assert.equal(await ownLease.run(async () => 'done'), 'done');
  });

  it('throws the work’s own error, even one about a lock timeout', async () => {
    const locked = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
    await assert.rejects(
      lease('three').run(() => Promise.reject(locked)),
      (error) => error === locked,
    );
  });

  it('times out when another server holds it for too long', async () => {
    const holder = createWork();
    const held = lease('four').run(holder.run);
    await until(() => holder.hasStarted);
    await assert.rejects(
      lease('four', 100).run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    holder.finish();
    assert.equal(await held, 'done');
  });

  it('times out when the previous work in the same server runs for too long, and never runs two at once', async () => {
    const ownLease = lease('five', 100);
    const holder = createWork();
    const held = ownLease.run(holder.run);
    await until(() => holder.hasStarted);
    const began = performance.now();
    await assert.rejects(
      ownLease.run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    assert.ok(performance.now() - began < 2_000);
    await assert.rejects(
      ownLease.run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    assert.equal(await sessions(), 1, 'waiting calls have no connection');
    holder.finish();
    assert.equal(await held, 'done');
    assert.equal(await ownLease.run(async () => 'next'), 'next');
  });

  it('of a killed server goes to the next one at once', async () => {
    const killed = createWork();
    const running = lease('six').run(killed.run);
    await until(() => killed.hasStarted);
    const next = lease('six').run(async () => 'taken over');
    // The database ends the session of a killed process like this.
    const holder = await owner.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and granted and database =
         (select oid from pg_database where datname = current_database())`,
    );
    await owner.query('select pg_terminate_backend($1)', [holder.rows[0]?.pid]);
    assert.equal(await next, 'taken over');
    killed.finish();
    await running;
  });

  it('leaves no session open', async () => {
    await cutSessions(owner, NAME);
    await lease('seven').run(async () => {});
    await until(async () => (await sessions()) === 0);
  });

  it('throws where there is no database', async () => {
    const unavailable = createLease({
      url: 'postgres://user@127.0.0.1:1/none',
      name: 'x',
      waitMs: 100,
      log: silentLog,
    });
    await assert.rejects(
      unavailable.run(async () => {}),
      { code: 'ECONNREFUSED' },
    );
  });
});
