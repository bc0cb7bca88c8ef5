/** Databases of earlier versions: their SQL is in `supabase/migrations`, word for word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createEmptyDatabase, type TestDatabase } from './postgres.ts';

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'supabase', 'migrations');

/** A database to which all files up to `last` were applied. */
export async function databaseOfVersion(last: string): Promise<TestDatabase> {
  const files = readdirSync(MIGRATIONS).filter((file) => file <= `${last}.sql`);
  if (!files.includes(`${last}.sql`)) throw new Error(`there is no ${last}`);
  const database = await createEmptyDatabase();
  const owner = new pg.Client(database.url);
  await owner.connect();
  try {
    for (const file of files.sort()) await runFile(owner, readFileSync(join(MIGRATIONS, file), 'utf8'));
  } finally {
    await owner.end();
  }
  return database;
}

/** An index that is built concurrently is a statement of its own. */
async function runFile(owner: pg.Client, sql: string): Promise<void> {
  const statements = /\bconcurrently\b/.test(sql) ? sql.split(/;\s*$/m).filter((text) => text.trim()) : [sql];
  for (const statement of statements) await owner.query(statement);
}
