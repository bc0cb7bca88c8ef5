import { sql } from 'kysely';
import type { Context } from '../context.ts';

export type Health = {
  database: boolean;
  queue: { depth: number; oldest_seconds: number };
  providers: {
    name: string;
    circuit: 'open' | 'closed';
    opened_at: Date | null;
    next_try_at: Date | null;
    is_simulated: boolean;
  }[];
  invariants: { rule: string; holds: boolean; violations: number; checked_at: Date | null }[];
};

/** More due tasks than this are shown as this many. */
const DEPTH_MAX = 100_000;

/** How the system is: its queue, the providers' circuits, and the rules of the money as the last check found them. */
export async function readHealth({
  db,
  providers,
  simulated,
}: Pick<Context, 'db' | 'providers' | 'simulated'>): Promise<Health> {
  const [queue, circuits, invariants] = await Promise.all([
    sql<Health['queue']>`
      select count(*)::integer as depth, coalesce(greatest(0, extract(epoch from now() - min(run_at))), 0)::float8 as oldest_seconds
      from (
        select run_at from graphile_worker._private_jobs
        where is_available and run_at <= now()
        order by priority, run_at
        limit ${DEPTH_MAX}
      ) due`.execute(db.read),
    sql<{ provider: string; state: 'open' | 'closed'; opened_at: Date | null; probe_at: Date | null }>`
      select provider, state, opened_at, probe_at from provider_circuits`.execute(db.read),
    sql<Health['invariants'][number]>`
      select r.rule, coalesce(c.violations, 0) = 0 as holds, coalesce(c.violations, 0) as violations, c.checked_at
      from money_rules() r left join money_checks c on c.invariant = r.rule`.execute(db.read),
  ]);
  const circuitOf = new Map(circuits.rows.map((row) => [row.provider, row]));
  return {
    // A database that does not answer has no administrators either: the call ends with 503.
    database: true,
    queue: queue.rows[0] ?? { depth: 0, oldest_seconds: 0 },
    providers: [...providers.keys()].map((name) => {
      const circuit = circuitOf.get(name);
      return {
        name,
        circuit: circuit?.state ?? 'closed',
        opened_at: circuit?.opened_at ?? null,
        next_try_at: circuit?.probe_at ?? null,
        is_simulated: simulated.has(name),
      };
    }),
    invariants: invariants.rows,
  };
}
