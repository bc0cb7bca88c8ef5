import type { Database } from '../db/database.ts';
import type { ReadOverload } from '../kernel/overload.ts';
import type { RuntimeCapabilities } from './runtime-capabilities.ts';

/**
 * Statements that wait for one session. On a bad day one takes 100 ms: the last of these gets its session just before it would give
 * up. More are refused before they wait.
 */
const WAITING_PER_SESSION = 50;

/** What a process with so many sessions of the database has too much work for. */
export function overloadOf(
  db: Pick<Database, 'waiting'>,
  connectionsMax: number,
  { load }: Pick<RuntimeCapabilities, 'load'>,
): ReadOverload {
  return () => (db.waiting() > WAITING_PER_SESSION * connectionsMax ? 'database' : (load?.overload ?? null));
}
