/** Services that many test files of a run share. An environment variable tells the files where each one is. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { startDenoDoor } from '../door/support/deno.ts';
import { BROWSER_ARGUMENTS, chromiumPath } from './chromium.ts';
import { onTeardown } from './global-setup.ts';
import { startTestServer, startTestWorker } from './server.ts';
import { copyTemplate, type TestDatabase } from './test-database.ts';

export type Service = 'server' | 'deno-door' | 'browser' | 'cluster';

const START: Record<Service, () => Promise<void>> = {
  server: startServer,
  'deno-door': startDoorWithWorker,
  browser: startBrowser,
  cluster: makeCluster,
};

export async function startSharedServices(needed: Set<Service>): Promise<void> {
  // The server reads the web pages at its start.
  if (needed.has('browser')) await buildWeb();
  await Promise.all([...needed].map((service) => START[service]()));
}

/** `RENDIO_TEST_SERVER_URL`: the real server in its default configuration. */
async function startServer(): Promise<void> {
  const database = await createDatabase();
  const server = await startTestServer({ env: { DATABASE_URL: database.url } });
  process.env.RENDIO_TEST_SERVER_URL = server.url;
  // Killed, so as not to wait for the jobs that the last tests have left running.
  onTeardown(async () => {
    await server.kill('SIGKILL');
    await server.stop();
  });
}

/** `RENDIO_TEST_DENO_URL`: the Deno door, with a Node worker on the same database and folder. */
async function startDoorWithWorker(): Promise<void> {
  const database = await createDatabase();
  const env = { DATABASE_URL: database.url, DATA_DIR: await mkdtemp(join(tmpdir(), 'rendio-deno-')) };
  const door = await startDenoDoor({ version: 'newest', env });
  onTeardown(() => door.stop());
  const worker = await startTestWorker({ env });
  onTeardown(() => worker.kill('SIGKILL'));
  process.env.RENDIO_TEST_DENO_URL = door.url;
}

/** `RENDIO_TEST_BROWSER_URL`: one Chromium, in which each test has its own context. Not set without Chromium. */
async function startBrowser(): Promise<void> {
  if (!chromiumPath) return;
  const browser = await chromium.launchServer({ executablePath: chromiumPath, args: BROWSER_ARGUMENTS });
  process.env.RENDIO_TEST_BROWSER_URL = browser.wsEndpoint();
  onTeardown(() => browser.close());
}

/** `RENDIO_TEST_CLUSTER`: a migrated cluster. A server that needs its own PostgreSQL starts from a copy of it. */
async function makeCluster(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-cluster-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  await migrate({ url: postgres.url, log: silentLog });
  await postgres.stop();
  process.env.RENDIO_TEST_CLUSTER = join(dataDir, 'postgres');
}

function createDatabase(): Promise<TestDatabase> {
  return copyTemplate(process.env.RENDIO_TEST_POSTGRES_URL ?? '');
}
