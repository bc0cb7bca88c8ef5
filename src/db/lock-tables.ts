import type pg from 'pg';
import { errorCodeOf } from '../kernel/error-code.ts';

/** PostgreSQL's code for a lock that was not granted within `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03';
const STATEMENT_TIMEOUT = '57014';
/**
 * How long an upgrade may take to lock all tables. Less than `deadlock_timeout` (1 s): where it and a call wait for each other,
 * the upgrade gives up before PostgreSQL looks for a deadlock, which could fail the call.
 */
const LOCK_ALL_MS = 800;

/**
 * Locks all tables before the first change of an upgrade: calls of running servers lock them in other orders than its
 * statements. Throws an error with the code LOCK_NOT_AVAILABLE if it takes too long.
 */
export async function lockTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ tables: string | null }>(`
    select string_agg(format('public.%I', relname), ', ' order by relname = 'users' desc, relname = 'video_jobs' desc, relname)
      as tables
    from pg_catalog.pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege('rendio_server', oid, 'select')`);
  const tables = rows[0]?.tables;
  if (!tables) return;
  await client.query(`set local statement_timeout = ${LOCK_ALL_MS}`);
  try {
    await client.query(`lock table ${tables} in access exclusive mode`);
  } catch (error) {
    if (errorCodeOf(error) !== STATEMENT_TIMEOUT) throw error;
    throw Object.assign(new Error('the tables are in use', { cause: error }), { code: LOCK_NOT_AVAILABLE });
  }
  await client.query('set local statement_timeout to default');
}
