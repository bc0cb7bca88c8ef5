/** How many generations can be charged per second: for one user, whose charges wait for one another, and for many users. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createDatabase, type Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { closePool, createPool } from '../src/db/pool.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { silentLog } from '../src/kernel/log.ts';
import type { Bench } from './report.ts';

const SECONDS = 5;
/** As many as the server has connections. */
const CALLERS = 20;
const USERS = 500;

export const charges: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const owner = new pg.Pool({ connectionString: postgres.url, max: 4 });
  const pool = createPool({ url: postgres.url, log: silentLog, connectionsMax: CALLERS });
  try {
    await migrate({ url: postgres.url, log: silentLog });
    const db = createDatabase(pool);
    const users = await Promise.all(Array.from({ length: USERS }, () => richUser(db, owner)));
    const one = await chargesPerSecond(db, users.slice(0, 1));
    const many = await chargesPerSecond(db, users.slice(1));
    const { rows } = await pool.query('select * from broken_invariants()');
    if (rows.length > 0) throw new Error(`broken: ${JSON.stringify(rows)}`);
    return [
      { name: `charges of one user, ${CALLERS} at once`, value: one, unit: '/s' },
      { name: `charges of ${USERS - 1} users, ${CALLERS} at once`, value: many, unit: '/s' },
    ];
  } finally {
    await Promise.all([closePool(pool), closePool(owner)]);
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

async function richUser(db: Database, owner: pg.Pool): Promise<string> {
  const { user_id } = await db.call('onboard_device', { device_id: `device-${randomUUID()}` });
  await owner.query(`select add_credits($1, 1000000, 'iap_purchase')`, [user_id]);
  return user_id;
}

/** Calls the procedure that does all the writing of `generate-video`. */
async function chargesPerSecond(db: Database, users: string[]): Promise<number> {
  const model = await db.read.selectFrom('models').select('id').where('name', '=', 'Sandbox').executeTakeFirstOrThrow();
  let charged = 0;
  let turn = 0;
  const end = performance.now() + SECONDS * 1_000;
  const caller = async () => {
    while (performance.now() < end) {
      turn += 1;
      const begun = await db.call('begin_generation', {
        user_id: users[turn % users.length] ?? '',
        idempotency_key: randomUUID(),
        request_hash: 'a'.repeat(64),
        model_id: model.id,
        prompt: 'a cat playing piano',
        settings: { duration: 5 },
        limit_account: 1_000_000,
        limit_address: 1_000_000,
        limit_in_flight: 1_000_000,
        deadline_seconds: 1800,
      });
      if (begun.outcome !== 'created') throw new Error(begun.outcome);
      charged += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return charged / SECONDS;
}
