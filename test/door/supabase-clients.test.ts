/** Supabase's official clients on the Deno door. It needs no worker: nothing here waits for one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { testSupabaseClients } from '../acceptance/support/supabase/suites.ts';
import { startAppleId } from '../support/apple-id-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type DenoProcess, startDenoDoor } from './support/deno.ts';

describe('Supabase’s clients, on Deno', async () => {
  const appleId = await startAppleId();
  let database: TestDatabase;
  let dataDir: string;
  let door: DenoProcess;
  before(async () => {
    database = await createTestDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'rendio-deno-'));
    door = await startDenoDoor({
      version: 'newest',
      env: { DATABASE_URL: database.url, DATA_DIR: dataDir, ...appleId.env },
    });
  });
  after(async () => {
    await door?.stop();
    await database?.[Symbol.asyncDispose]();
    await appleId[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });
  testSupabaseClients({
    apple: appleId.apple,
    get url() {
      return door.url;
    },
  });
});
