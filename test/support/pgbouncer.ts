/** PgBouncer before a test's database, where this machine has it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { until } from '../media/until.ts';

/** Debian's; it refuses to run as root. */
const PROGRAM = findProgram();
const NOBODY = 65_534;

/** For `it(name, WITH_PGBOUNCER, …)`. */
export const WITH_PGBOUNCER = {
  skip: PROGRAM || process.env.REQUIRE_PGBOUNCER ? false : 'needs PgBouncer: apt-get install pgbouncer',
};

export type Pooler = AsyncDisposable & { url: string };

/** Starts it in transaction mode. `settings` are lines of [pgbouncer], `connectQuery` what it sets on each of its connections. */
export async function startPgBouncer(
  databaseUrl: string,
  { settings = [], connectQuery }: { settings?: string[]; connectQuery?: string } = {},
): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-pooler-'));
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const name = pathname.slice(1);
  const listenPort = await freePort();
  const target = `host=${hostname} port=${port || 5432} dbname=${name} user=${username} password=${password}`;
  const config = [
    '[databases]',
    `${name} = ${target}${connectQuery ? ` connect_query='${connectQuery.replaceAll("'", "''")}'` : ''}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${listenPort}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 5',
    ...settings,
  ];
  await writeFile(join(folder, 'pgbouncer.ini'), `${config.join('\n')}\n`);
  await chmod(folder, 0o755);
  const child = spawn(PROGRAM ?? 'pgbouncer', [join(folder, 'pgbouncer.ini')], {
    stdio: 'ignore',
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const exited = once(child, 'exit');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${listenPort}`;
  await until(async () => {
    const client = new pg.Client(url.href);
    client.on('error', () => {});
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  });
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function findProgram(): string | null {
  for (const program of ['pgbouncer', '/usr/sbin/pgbouncer']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return program;
    } catch {}
  }
  return null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
