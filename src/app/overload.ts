import type { Database } from '../db/database.ts';
import type { ReadOverload } from '../kernel/overload.ts';
import type { RuntimeCapabilities } from './runtime-capabilities.ts';

/**
 * Statements that wait for one session. On a bad day one takes 100 ms: the last of these gets its session just before it would give
 * up. More are refused before they wait.
 */
const WAITING_PER_SESSION = 50;

/** What a process with this database and this runtime has too much work for. */
export function overloadOf(
  db: Pick<Database, 'pool' | 'waiting'>,
  { load }: Pick<RuntimeCapabilities, 'load'>,
): ReadOverload {
  const waitingMax = WAITING_PER_SESSION * db.pool.options.max;
  return () => (db.waiting() > waitingMax ? 'database' : (load?.overload ?? null));
}
