import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import pg from 'pg';
import { describeDatabaseFailure } from '../../src/db/failure.ts';
import { latestMigration, migrate } from '../../src/db/migrate.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A proxy to a database that delays the end of each session after the first by 200 ms. */
async function slowTerminations(target: string) {
  const TERMINATE = Buffer.from('X\0\0\0\u0004');
  const url = new URL(target);
  const { port, hostname } = url;
  const open = new Set<Socket>();
  let sessions = 0;
  const server = createServer({ allowHalfOpen: true }, (clientSocket) => {
    const lateMs = sessions > 0 ? 200 : 0;
    sessions += 1;
    const serverSocket = connect(Number(port), hostname);
    open.add(clientSocket);
    clientSocket.on('data', (bytes) =>
      setTimeout(() => serverSocket.write(bytes), bytes.equals(TERMINATE) ? lateMs : 0),
    );
    serverSocket.on('data', (bytes) => clientSocket.write(bytes));
    serverSocket.once('close', () => {
      open.delete(clientSocket);
      clientSocket.end();
    });
    for (const socket of [clientSocket, serverSocket]) socket.on('error', () => {});
  });
  server.listen(0, hostname);
  await once(server, 'listening');
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    get sessions() {
      return sessions;
    },
    get open() {
      return open.size;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** The error message for a server that starts on this database. */
async function messageFor(url: string): Promise<string> {
  const error = describeDatabaseFailure(
    await migrate({ url, log: silentLog }).then(
      () => assert.fail('it migrated'),
      (reason: unknown) => reason,
    ),
  );
  assert.ok(error instanceof StartupError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

describe('migrating', () => {
  it('an empty database gets the current schema, and a second run changes nothing', async () => {
    await using database = await createEmptyDatabase();
    const { url } = database;
    const first = await migrate({ url, log: silentLog });
    assert.ok(first.migrations.includes(await latestMigration()));
    assert.equal(first.queue, true);
    const state = `select (select count(*)::int from models) as models, (select max(applied_at) from schema_history) as at`;
    const before = await query(url, state);
    assert.deepEqual(await migrate({ url, log: silentLog }), { migrations: [], procedures: [], queue: false });
    assert.deepEqual(await query(url, state), before);
  });

  it('several at once on an empty database run one after another', async () => {
    await using database = await createEmptyDatabase();
    const { url } = database;
    const reports = await Promise.all([1, 2, 3].map(() => migrate({ url, log: silentLog })));
    assert.equal(reports.filter(({ migrations }) => migrations.length > 0).length, 1);
    assert.equal(reports.filter(({ procedures }) => procedures.length > 0).length, 1);
  });

  it('it has no open session when it returns, also where a session ends slowly', async () => {
    await using database = await createTestDatabase();
    await using proxy = await slowTerminations(database.url);
    await migrate({ url: proxy.url, log: silentLog });
    assert.ok(proxy.sessions >= 2, 'the queue’s library has its own session');
    assert.equal(proxy.open, 0);
  });

  it('two servers that start at once on one empty database both start', async (t) => {
    await using database = await createEmptyDatabase();
    const env = { DATABASE_URL: database.url };
    const servers = await Promise.all([startTestServer({ env }), startTestServer({ env })]);
    t.after(() => Promise.all(servers.map((server) => server.stop())));
    for (const server of servers) assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    await Promise.all(servers.map((server) => server.stop()));
    assert.deepEqual(await Promise.all(servers.map((server) => server.exited)), [0, 0]);
  });

  it('a procedure whose text has changed is applied again, with the grants', async () => {
    await using database = await createTestDatabase();
    await query(
      database.url,
      `update schema_history set hash = 'old' where name = 'procedures/notifications/emit_event.sql'`,
    );
    await query(database.url, 'grant update on public.users to rendio_server');
    const report = await migrate({ url: database.url, log: silentLog });
    assert.deepEqual(report, { migrations: [], procedures: ['procedures/notifications/emit_event.sql'], queue: false });
    const [permissions] = await query(
      database.url,
      `select has_table_privilege('rendio_server', 'users', 'update') as write`,
    );
    assert.deepEqual(permissions, { write: false }, 'other grants are revoked');
  });

  it('a migration that was edited after it was applied is reported by name', async () => {
    await using database = await createTestDatabase();
    await query(database.url, `update schema_history set hash = 'another' where name = '${await latestMigration()}'`);
    assert.match(await messageFor(database.url), /^The migration migrations\/0\d+_\w+\.sql has changed since/);
  });

  it('a database that is too old is reported with its version', async () => {
    await using database = await createTestDatabase();
    await query(
      database.url,
      `create schema old;
       create function old.current_setting(name text) returns text language sql as $$
         select case name when 'server_version_num' then '140011' else '14.11' end
       $$`,
    );
    const url = new URL(database.url);
    url.searchParams.set('options', '-c search_path=old,pg_catalog,public');
    assert.equal(await messageFor(url.href), 'PostgreSQL 15 or newer is needed; the database is 14.11.');
  });

  it('a database that rejects the connection is reported in one sentence', async () => {
    await using database = await createTestDatabase();
    await query(database.url, `create role limited_${process.env.RENDIO_TEST_RUN} login password 'password'`);
    const change = (edit: (url: URL) => void) => {
      const url = new URL(database.url);
      edit(url);
      return messageFor(url.href);
    };
    try {
      assert.match(
        await change((url) => {
          url.port = '1';
        }),
        /: no server listens on its host and port\. Is it running\?$/,
      );
      assert.match(
        await change((url) => {
          url.password = 'wrong';
        }),
        /: the password is wrong\.$/,
      );
      assert.match(
        await change((url) => {
          url.pathname = '/nowhere';
        }),
        /: there is no such database\.$/,
      );
      const message = await change((url) => {
        url.username = `limited_${process.env.RENDIO_TEST_RUN}`;
        url.password = 'password';
      });
      assert.match(message, /: this user lacks rights that a migration needs: /);
    } finally {
      await query(database.url, `drop role limited_${process.env.RENDIO_TEST_RUN}`);
    }
  });

  it('an unknown failure is not changed', async () => {
    const strange = new TypeError('a bug');
    assert.equal(describeDatabaseFailure(strange), strange);
  });
});
