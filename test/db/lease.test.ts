import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type pg from 'pg';
import { createLease, LeaseTimeout } from '../../src/db/lease.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { cutSessions } from '../support/outage.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';

const NAME = 'rendio-lease';

/** Work that goes on until it is let go. */
function gate() {
  const opened = Promise.withResolvers<void>();
  const state = {
    begun: false,
    open: () => opened.resolve(),
    work: async () => {
      state.begun = true;
      await opened.promise;
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
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await owner.query('select pg_sleep(0.005)');
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 18 }, (_, index) => servers[index % 3]?.run(work)));
    assert.equal(most, 1);
  });

  it('answers as its work does, and lets the next one in when that throws', async () => {
    const mine = lease('two');
    await assert.rejects(
      mine.run(async () => {
        throw new TypeError('a bug');
      }),
      TypeError,
    );
    assert.equal(await mine.run(async () => 'fine'), 'fine');
  });

  it('an error of the work is its own, even one that says that a lock was not to be had', async () => {
    const locked = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
    await assert.rejects(
      lease('three').run(() => Promise.reject(locked)),
      (error) => error === locked,
    );
  });

  it('gives up when another server holds it for too long', async () => {
    const holder = gate();
    const held = lease('four').run(holder.work);
    await until(() => holder.begun);
    await assert.rejects(
      lease('four', 100).run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    holder.open();
    assert.equal(await held, 'done');
  });

  it('gives up in time when the turn before, in the same server, goes on for too long; nobody overtakes that', async () => {
    const mine = lease('five', 100);
    const holder = gate();
    const held = mine.run(holder.work);
    await until(() => holder.begun);
    const began = performance.now();
    await assert.rejects(
      mine.run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    assert.ok(performance.now() - began < 2_000);
    await assert.rejects(
      mine.run(async () => assert.fail('two at once')),
      LeaseTimeout,
    );
    assert.equal(await sessions(), 1, 'those who wait in line have no connection');
    holder.open();
    assert.equal(await held, 'done');
    assert.equal(await mine.run(async () => 'next'), 'next');
  });

  it('of a server that is gone goes to the next one at once', async () => {
    const lost = gate();
    const running = lease('six').run(lost.work);
    await until(() => lost.begun);
    const next = lease('six').run(async () => 'taken over');
    // What the database sees of a process that was killed.
    const holder = await owner.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and granted and database =
         (select oid from pg_database where datname = current_database())`,
    );
    await owner.query('select pg_terminate_backend($1)', [holder.rows[0]?.pid]);
    assert.equal(await next, 'taken over');
    lost.open();
    await running;
  });

  it('leaves no session behind', async () => {
    await cutSessions(owner, NAME);
    await lease('seven').run(async () => {});
    await until(async () => (await sessions()) === 0);
  });

  it('says so where there is no database', async () => {
    const away = createLease({ url: 'postgres://nobody@127.0.0.1:1/none', name: 'x', waitMs: 100, log: silentLog });
    await assert.rejects(
      away.run(async () => {}),
      { code: 'ECONNREFUSED' },
    );
  });
});
