import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHosts, hostOf, isDatabaseUrl, urlsOf } from '../../src/db/hosts.ts';
import { migrate } from '../../src/db/migrate.ts';
import { UnusableSession } from '../../src/db/outage.ts';
import { createPool } from '../../src/db/pool.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { onboardGuest } from '../support/guest.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

describe('a database URL', () => {
  it('may name several hosts, as libpq reads it', () => {
    const url =
      'postgres://owner:p%40ss@one:5433,two,[::1]:5434/rendio?sslmode=disable&target_session_attrs=read-write';
    assert.deepEqual(urlsOf(url), [
      'postgres://owner:p%40ss@one:5433/rendio?sslmode=disable',
      'postgres://owner:p%40ss@two/rendio?sslmode=disable',
      'postgres://owner:p%40ss@[::1]:5434/rendio?sslmode=disable',
    ]);
    assert.deepEqual(urlsOf(url).map(hostOf), [
      { host: 'one', port: 5433 },
      { host: 'two', port: 5432 },
      { host: '::1', port: 5434 },
    ]);
  });

  for (const [url, isRight] of [
    ['postgres://owner@db.example.com/rendio', true],
    ['postgresql://owner@one:5432,two:5432/rendio', true],
    ['postgres://one,two/rendio?target_session_attrs=primary', true],
    ['postgres:///rendio?host=/run/postgresql', true],
    ['postgres://one,two/rendio?target_session_attrs=standby', false],
    ['postgres://one,,two/rendio', false],
    ['postgres://one:port,two/rendio', false],
    ['mysql://one/rendio', false],
    ['one:5432,two:5432', false],
  ] as const) {
    it(`${url} is ${isRight ? 'accepted' : 'refused'}`, () => assert.equal(isDatabaseUrl(url), isRight));
  }
});

describe('of several hosts', () => {
  it('the first that takes writes is chosen, kept, and chosen anew once it has failed', async () => {
    let primary = 'postgres://two';
    const checked: string[] = [];
    const hosts = createHosts(['postgres://one', 'postgres://two'], async (url) => {
      checked.push(url);
      if (url !== primary) throw new UnusableSession('it takes no writes.');
    });
    assert.equal((await hosts.choose()).host, 'two');
    assert.equal((await hosts.choose()).host, 'two');
    assert.equal(checked.length, 2);
    primary = 'postgres://one';
    hosts.forget();
    assert.equal((await hosts.choose()).host, 'one');
    primary = 'postgres://none';
    hosts.forget();
    await assert.rejects(hosts.choose(), AggregateError);
    primary = 'postgres://two';
    assert.equal((await hosts.choose()).host, 'two');
  });

  it('migrations and the pool use the one that is there, and after its end the other', async () => {
    await using database = await createTestDatabase();
    await using one = await createOutage(database.url);
    await using two = await createOutage(database.url);
    const { username, password, pathname } = new URL(database.url);
    const [first, second] = [new URL(one.url).host, new URL(two.url).host];
    const url = `postgres://${username}:${password}@${first},${second}${pathname}?target_session_attrs=read-write`;
    one.begin();
    await migrate({ url, log: silentLog });
    const pool = createPool({ url, log: silentLog });
    assert.equal((await pool.query('select current_user as role')).rows[0].role, 'rendio_server');
    one.end();
    two.begin();
    // The statement that finds its host gone may fail; the next one looks for another.
    await pool.query('select').catch(() => {});
    assert.equal((await pool.query('select current_user as role')).rows[0].role, 'rendio_server');
    await pool.end();
  });

  it('a server starts, works and is ready, also when the first host is away', async () => {
    await using database = await createTestDatabase();
    const { username, password, host, pathname } = new URL(database.url);
    const url = `postgres://${username}:${password}@127.0.0.1:1,${host}${pathname}?target_session_attrs=read-write`;
    await using server = await startTestServer({ env: { DATABASE_URL: url } });
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    assert.equal(await (await onboardGuest(server.url)).balance(), 10);
  });

  it('none that takes no writes is used', async () => {
    await using database = await createTestDatabase();
    const { username, password, host, pathname } = new URL(database.url);
    const url = `postgres://${username}:${password}@${host},${host}${pathname}?options=-c%20default_transaction_read_only%3Don`;
    const pool = createPool({ url, log: silentLog });
    await assert.rejects(pool.query('select'), (error: AggregateError) => error.errors[0] instanceof UnusableSession);
    await pool.end();
  });
});
