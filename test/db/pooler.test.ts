/** Connection poolers that drop what a session asks for at its start. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPool } from '../../src/db/pool.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { runFailingStart } from '../acceptance/support/start.ts';
import { onboardGuest } from '../support/guest.ts';
import { startPgBouncer, WITH_PGBOUNCER } from '../support/pgbouncer.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

const IGNORES_OPTIONS = ['ignore_startup_parameters = extra_float_digits,options'];
const CONNECT_QUERY = 'set role rendio_server; set statement_timeout = 12000';

describe('behind PgBouncer in transaction mode', WITH_PGBOUNCER, () => {
  it('a server whose start options are dropped does not start, and says what to configure where', async () => {
    await using database = await createTestDatabase();
    await using pooler = await startPgBouncer(database.url, { settings: IGNORES_OPTIONS });
    const start = await runFailingStart({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: database.url });
    assert.equal(start.code, 1);
    assert.match(start.output, /named by DATABASE_URL cannot be used: .*not as rendio_server.*connect_query/);
  });

  it('nor does one whose start options are rejected', async () => {
    await using database = await createTestDatabase();
    await using pooler = await startPgBouncer(database.url);
    const start = await runFailingStart({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: database.url });
    assert.equal(start.code, 1);
    assert.match(start.output, /named by DATABASE_URL cannot be used: .*ignore_startup_parameters/);
  });

  it('nor one without a direct URL: LISTEN and session locks do not work there', async () => {
    await using database = await createTestDatabase();
    const settings = IGNORES_OPTIONS;
    await using pooler = await startPgBouncer(database.url, { settings, connectQuery: CONNECT_QUERY });
    const start = await runFailingStart({ DATABASE_URL: pooler.url });
    assert.equal(start.code, 1);
    assert.match(start.output, /named by DATABASE_URL cannot be used: .*session locks.*DATABASE_DIRECT_URL/);
  });

  it('with the role set by the pooler everything works, and every statement acts as that role', async () => {
    await using database = await createTestDatabase();
    const settings = IGNORES_OPTIONS;
    await using pooler = await startPgBouncer(database.url, { settings, connectQuery: CONNECT_QUERY });
    const pool = createPool({ url: pooler.url, log: silentLog, connectionsMax: 20 });
    const roles = await Promise.all(
      Array.from(
        { length: 60 },
        async () => (await pool.query('select current_user as role, pg_sleep(0.01)')).rows[0].role,
      ),
    );
    assert.deepEqual([...new Set(roles)], ['rendio_server']);
    await pool.end();
    await using server = await startTestServer({
      env: { DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: database.url, WORKER: 'off' },
    });
    const guest = await onboardGuest(server.url);
    await guest.generate();
    assert.equal(await guest.balance(), 9);
    const owner = ownerPool(database.url);
    assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
    await owner.end();
  });
});
