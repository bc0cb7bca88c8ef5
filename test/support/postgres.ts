/** The databases of a test file. Its end also ends what it has started. */
import { after } from 'node:test';
import pg from 'pg';
import { globalSetup, globalTeardown } from './global-setup.ts';
import { copyTemplate, createEmpty, type TestDatabase } from './test-database.ts';

export type { TestDatabase } from './test-database.ts';

/** Makes a new database as a copy of the migrated template, in about 20 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return copyTemplate(await serverUrl());
}

/** Makes an empty database. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createEmpty(await serverUrl());
}

/** Connects as the owner of the tables, to read and to change timestamps. An ended session fails no test. */
export function ownerPool(url: string, max = 2): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

let starting: Promise<void> | undefined;

// A test file that is run alone starts its own PostgreSQL.
after(async () => {
  await starting;
  await Promise.all(endings.map((end) => end()));
  await globalTeardown();
});

const endings: (() => Promise<void>)[] = [];

/** Calls `end` before the databases are gone: the file's hooks run after the one above. `end` may be called twice. */
export function beforeTeardown(end: () => Promise<void>): void {
  endings.push(end);
}

async function serverUrl(): Promise<string> {
  if (!process.env.RENDIO_TEST_POSTGRES_URL) starting ??= globalSetup();
  await starting;
  return process.env.RENDIO_TEST_POSTGRES_URL ?? '';
}
