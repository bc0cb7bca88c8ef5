/** The databases of a test file, which ends what it has started. */
import { after } from 'node:test';
import pg from 'pg';
import { globalSetup, globalTeardown } from './global-setup.ts';
import { copyTemplate, createEmpty, type TestDatabase } from './test-database.ts';

export type { TestDatabase } from './test-database.ts';

/** Makes a fresh database as a copy of the migrated template, in some 20 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return copyTemplate(await serverUrl());
}

/** A database with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createEmpty(await serverUrl());
}

/** The tables' owner, for looking and for turning the database's clock. Sessions that a test ends are no failure of it. */
export function ownerPool(url: string, max = 2): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

let starting: Promise<void> | undefined;

// A file that is run by itself has a PostgreSQL of its own.
after(async () => {
  await starting;
  await Promise.all(users.map((end) => end()));
  await globalTeardown();
});

const users: (() => Promise<void>)[] = [];

/** For what uses a database until the end of its file: the hooks of that file run after this one's. May be called twice. */
export function beforeTeardown(end: () => Promise<void>): void {
  users.push(end);
}

async function serverUrl(): Promise<string> {
  if (!process.env.RENDIO_TEST_POSTGRES_URL) starting ??= globalSetup();
  await starting;
  return process.env.RENDIO_TEST_POSTGRES_URL ?? '';
}
