/** What a session does when the database falls silent, and what it is checked for before its first use. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import pg from 'pg';
import { createDatabase } from '../../src/db/database.ts';
import { describeDatabaseFailure } from '../../src/db/failure.ts';
import { createLease } from '../../src/db/lease.ts';
import { listen } from '../../src/db/listen.ts';
import { isDatabaseOutage, UnusableSession } from '../../src/db/outage.ts';
import { createPool } from '../../src/db/pool.ts';
import { DatabaseClient, ownerSession, restrictedSession } from '../../src/db/session.ts';
import { compareClocks, trySameDatabase, trySessions } from '../../src/db/try-urls.ts';
import { watchSession } from '../../src/db/watch-session.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { startDatabaseProxy } from '../acceptance/support/proxy.ts';
import { recordingLog } from '../http/harness.ts';
import { until } from '../media/until.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';

/** A database behind a network that can fall silent, and a pool that soon gives up on it. */
async function createSilentWorld(t: TestContext, answerTimeoutMs = 300) {
  const database = await createTestDatabase();
  const proxy = await startDatabaseProxy(database.url);
  const owner = ownerPool(database.url, 4);
  const pool = createPool({ url: proxy.url, log: silentLog, answerTimeoutMs, connectionsMax: 10 });
  t.after(async () => {
    await pool.end();
    await owner.end();
    await proxy[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  return { database, proxy, owner, pool, db: createDatabase(pool) };
}

const countUsers = (db: ReturnType<typeof createDatabase>) => db.read.selectFrom('users').select('id').execute();

const SESSIONS = 'select pid from pg_stat_activity where datname = current_database()';

describe('a database that falls silent', () => {
  it('fails the reads and the writes that wait for it as an outage; their connections are not used again', async (t) => {
    const { proxy, pool, db } = await createSilentWorld(t);
    await Promise.all([1, 2, 3].map(() => countUsers(db)));
    assert.ok(pool.idleCount >= 2);
    proxy.freeze();
    const failures = await Promise.allSettled([countUsers(db), db.call('update_profile', { user_id: randomUUID() })]);
    for (const failure of failures) {
      assert.ok(failure.status === 'rejected' && isDatabaseOutage(failure.reason), String(Object(failure).reason));
    }
    // Those that were idle have seen the same silence. The pool itself ends idle ones after ten seconds.
    await until(() => pool.totalCount === 0, 8_000);
    proxy.restore();
    assert.deepEqual(await countUsers(db), []);
  });

  it('ends a LISTEN connection, which says so to its subscribers and listens again', async (t) => {
    const { proxy, owner } = await createSilentWorld(t);
    const options = { url: proxy.url, channel: 'news', log: silentLog, heartbeatMs: 250, answerTimeoutMs: 200 };
    const listener = await listen(options);
    t.after(() => listener.close());
    const received: (string | null)[] = [];
    listener.subscribe((payload) => received.push(payload));
    const sessions = () => owner.query(`${SESSIONS} and application_name = 'rendio-listen'`);
    const [before] = (await sessions()).rows;
    proxy.freeze();
    await until(async () => !(await sessions()).rows.some(({ pid }) => pid === before.pid));
    proxy.restore();
    await until(() => received.includes(null));
    await owner.query(`select pg_notify('news', 'back')`);
    await until(() => received.includes('back'));
  });

  it('ends the wait for a lease', async (t) => {
    const { proxy, owner } = await createSilentWorld(t);
    await owner.query(`select pg_advisory_lock(hashtextextended('taken', 0))`);
    const lease = createLease({ url: proxy.url, name: 'taken', waitMs: 3_000, log: silentLog });
    const waiting = assert.rejects(lease.run(async () => {}));
    const sql = `${SESSIONS} and application_name = 'rendio-lease' and wait_event_type = 'Lock'`;
    await until(async () => (await owner.query(sql)).rowCount === 1);
    proxy.freeze();
    await waiting;
  });

  it('ends a migration, whose statements have no time limit', async (t) => {
    const { proxy } = await createSilentWorld(t);
    const session = new DatabaseClient(ownerSession(proxy.url, 'rendio-migrate', null));
    await session.connect();
    const watch = watchSession(session, proxy.url, { checkEveryMs: 20, answerTimeoutMs: 200 });
    t.after(() => watch.stop());
    await assert.doesNotReject(session.query('select pg_sleep(0.5)'));
    const running = assert.rejects(session.query('select pg_sleep(60)'), (error) => isDatabaseOutage(error));
    proxy.freeze();
    await running;
  });
});

describe('a new session', () => {
  it('is refused as an outage if it does not act as the server’s role, or has no limits', async () => {
    await using database = await createTestDatabase();
    for (const options of ['-c role=none', '-c statement_timeout=0', '-c statement_timeout=1h']) {
      const session = { ...restrictedSession(database.url, 'test') };
      session.options = `${session.options} ${options}`;
      const error = await new DatabaseClient(session).connect().catch((reason: unknown) => reason);
      assert.ok(error instanceof UnusableSession && isDatabaseOutage(error), options);
      assert.match(error.message, /connect_query/);
    }
  });
});

describe('the database URLs at start', () => {
  it('must be of the same database, whatever it is called', async () => {
    await using database = await createTestDatabase();
    await using another = await createTestDatabase();
    await trySameDatabase(database.url, database.url);
    const error = await trySameDatabase(another.url, database.url).catch((reason: unknown) => reason);
    assert.match(
      String(describeDatabaseFailure(error, 'DATABASE_URL')),
      /named by DATABASE_URL cannot be used: it is not the database that DATABASE_DIRECT_URL names/,
    );
  });

  it('LISTEN and session locks work on a plain PostgreSQL, and leave nothing behind', async () => {
    await using database = await createTestDatabase();
    await trySessions(database.url);
    const owner = new pg.Client(database.url);
    await owner.connect();
    const { rows } = await owner.query(
      `select count(*)::int as n from pg_stat_activity where application_name = 'rendio-start'`,
    );
    await owner.end();
    assert.equal(rows[0].n, 0);
  });

  it('a clock that differs from the database’s by seconds is said in the log; one that is right is not', async () => {
    await using database = await createTestDatabase();
    const log = recordingLog();
    const ahead = (ms: number) => ({ now: () => new Date(Date.now() + ms) });
    await compareClocks(database.url, ahead(0), log);
    assert.equal(log.lines.length, 0);
    for (const ms of [60_000, -60_000]) await compareClocks(database.url, ahead(ms), log);
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, Math.round(Number(fields.ahead_seconds))]),
      [
        ['warn', 60],
        ['warn', -60],
      ],
    );
  });
});
