/**
 * How many generations can be charged per second: for one user, whose charges wait for one another, and for many users. And what
 * lots cost: the same charges with them and, on the same database, with the procedures of before, turn by turn. The same for outgoing webhooks.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createDatabase, type Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { closePool, createPool } from '../src/db/pool.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { silentLog } from '../src/kernel/log.ts';
import { costOfWebhooks } from './cost-of-webhooks.ts';
import type { Bench } from './report.ts';

const SECONDS = 5;
/** As many as the server has connections. */
const CALLERS = 20;
const USERS = 500;
/** What lots may cost, and how it is measured. */
const COST_OF_LOTS_MAX = 1.25;
const TURNS = 7;
const TURN_SECONDS = 2;

export const charges: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const owner = new pg.Pool({ connectionString: postgres.url, max: 4 });
  const pool = createPool({ url: postgres.url, log: silentLog, connectionsMax: CALLERS });
  try {
    await migrate({ url: postgres.url, log: silentLog });
    const db = createDatabase(pool);
    const users = await Promise.all(Array.from({ length: USERS }, () => richUser(db, owner)));
    const one = await chargesPerSecond(db, users.slice(0, 1), SECONDS);
    const many = await chargesPerSecond(db, users.slice(1), SECONDS);
    const { rows } = await pool.query('select * from broken_invariants()');
    if (rows.length > 0) throw new Error(`broken: ${JSON.stringify(rows)}`);
    const ratio = await costOfLots(db, owner, users.slice(1));
    const chargeAny = charger(db, await sandboxOf(db), users.slice(1));
    return [
      ...(await costOfWebhooks(owner, chargeAny)),
      { name: 'cost of generate-video with lots, of without', value: ratio, unit: '×', promise: COST_OF_LOTS_MAX },
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

/** The median of the ratios of neighbouring turns: what slows the machine down slows both of a pair. */
async function costOfLots(db: Database, owner: pg.Pool, users: string[]): Promise<number> {
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    await switchLots(owner, true);
    const withLots = await chargesPerSecond(db, users, TURN_SECONDS);
    await switchLots(owner, false);
    ratios.push((await chargesPerSecond(db, users, TURN_SECONDS)) / withLots);
  }
  return ratios.sort((a, b) => a - b)[Math.floor(TURNS / 2)] ?? 0;
}

/** Without lots: a charge stops where they begin, nothing expires, and no balance is compared with them. */
async function switchLots(owner: pg.Pool, areOn: boolean): Promise<void> {
  for (const name of ['apply_credits', 'expire_lots']) {
    const file = new URL(`../db/procedures/credits/${name}.sql`, import.meta.url);
    const source = await readFile(file, 'utf8');
    const start = name === 'apply_credits' ? "if p_reason = 'account_merge' then" : 'for v_lot in';
    const early = name === 'apply_credits' ? 'return v_balance; ' : 'return 0; ';
    if (!source.includes(start)) throw new Error(`${name} no longer contains: ${start}`);
    await owner.query(areOn ? source : source.replace(start, early + start));
  }
  // Each of these accounts has one lot.
  if (areOn)
    await owner.query(
      'update credit_lots l set remaining = u.credits_remaining from users u where u.id = l.user_id and l.remaining <> u.credits_remaining',
    );
  await owner.query(`alter table users ${areOn ? 'enable' : 'disable'} trigger users_lots_hold_the_balance`);
}

async function chargesPerSecond(db: Database, users: string[], seconds: number): Promise<number> {
  const charge = charger(db, await sandboxOf(db), users);
  let charged = 0;
  const end = performance.now() + seconds * 1_000;
  const caller = async () => {
    while (performance.now() < end) {
      await charge();
      charged += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return charged / seconds;
}

async function sandboxOf(db: Database): Promise<string> {
  return (await db.read.selectFrom('models').select('id').where('name', '=', 'Sandbox').executeTakeFirstOrThrow()).id;
}

/** Calls the procedure that does all the writing of `generate-video`, for one user after the other. */
function charger(db: Database, modelId: string, users: string[]): () => Promise<void> {
  let turn = 0;
  return async () => {
    turn += 1;
    const begun = await db.call('begin_generation', {
      user_id: users[turn % users.length] ?? '',
      idempotency_key: randomUUID(),
      request_hash: 'a'.repeat(64),
      model_id: modelId,
      prompt: 'a cat playing piano',
      settings: { duration: 5 },
      limit_account: 1_000_000,
      limit_address: 1_000_000,
      limit_in_flight: 1_000_000,
      deadline_seconds: 1800,
    });
    if (begun.outcome !== 'created') throw new Error(begun.outcome);
  };
}
