/** A database that was dumped, and restored into a cluster that has never seen this server. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { EXPECTED_PERMISSIONS, scanPermissions } from '../support/permissions.ts';

const ROLES = ['rendio_server', 'anon', 'authenticated', 'service_role'];

test('after a restore into a fresh cluster, a start brings back the roles, their grants and their policies', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-restore-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const owner = new pg.Pool({ connectionString: postgres.url, max: 1 }).on('error', () => {});
  t.after(async () => {
    await owner.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await migrate({ url: postgres.url, log: silentLog });
  // A dump names no roles, and what it says of roles that do not exist is lost when it is restored.
  for (const role of ROLES) await owner.query(`drop owned by ${role}; drop role ${role}`);
  await migrate({ url: postgres.url, log: silentLog });
  assert.deepEqual(await scanPermissions(owner), EXPECTED_PERMISSIONS);
});
