/** The operator's command line, as a process. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runAdmin } from '../../src/entry/admin/run.ts';
import { PLANTS, type PlantedAccounts, plant, seedMoney } from '../support/broken-money.ts';
import { importFlag } from '../support/import-flag.ts';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';
import { startTestServer } from '../support/server.ts';

const PROGRAM = fileURLToPath(new URL('../../src/entry/admin.ts', import.meta.url));

type Ended = { code: number; out: string; err: string };

/** Outside the checkout, where a developer's `.env` may be. */
function admin(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { cwd: tmpdir(), env: { PATH: process.env.PATH, NO_COLOR: '1', LOG_LEVEL: 'error', ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...importFlag(), PROGRAM, ...args], options, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

describe('the operator’s command line', () => {
  let world: MoneyWorld;
  let accounts: PlantedAccounts;
  let dataDir: string;
  before(async () => {
    world = await createMoneyWorld();
    accounts = await seedMoney(world);
    dataDir = await mkdtemp(join(tmpdir(), 'rendio-admin-'));
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });
  const run = (...args: string[]) => admin(args, { DATABASE_URL: world.url, DATA_DIR: dataDir });

  it('lists its commands for --help, and ends with 2 for what it does not know', async (t) => {
    const help = await admin(['--help']);
    assert.equal(help.code, 0);
    for (const name of [
      'audit',
      'explain-balance <user>',
      'heal-purchases [--days N]',
      'maintenance <name>|all',
      'replay-notification <uuid>',
    ]) {
      assert.ok(help.out.includes(`npm run admin -- ${name}`), name);
    }
    const misused = [[], ['nonsense'], ['audit', '--nonsense'], ['audit', '--show', 'x'], ['explain-balance', 'ada']];
    misused.push(['maintenance', 'nonsense'], ['replay-notification'], ['heal-purchases', '--days', '0']);
    const log = t.mock.method(console, 'log', () => {});
    const error = t.mock.method(console, 'error', () => {});
    for (const args of misused) {
      assert.equal(await runAdmin(args, { DATABASE_URL: world.url }), 2, args.join(' '));
      assert.match(String(error.mock.calls.at(-1)?.arguments[0]), /Usage:\n {2}npm run admin -- /);
    }
    assert.equal(error.mock.callCount(), misused.length);
    assert.equal(log.mock.callCount(), 0);
  });

  it('asks the App Store for what never arrived: the simulated one beside a development server', async () => {
    const { code, out, err } = await run('heal-purchases', '--days', '3');
    assert.equal(code, 0, err);
    assert.match(out, /^\d+ notifications of the last 3 days, \d+ of them new here$/m);
    const off = await admin(['heal-purchases'], { DATABASE_URL: world.url, DATA_DIR: dataDir, ENVIRONMENT: 'staging' });
    assert.deepEqual([off.code, off.out], [1, ''], off.err);
  });

  it('explains a balance: the ledger, the lots with what they paid for, and the rules', async () => {
    const { code, out } = await run('explain-balance', accounts.buyer.toUpperCase(), '--json');
    assert.equal(code, 0);
    const { balance, lots, rules, ...others } = JSON.parse(out);
    assert.deepEqual(others, {});
    assert.equal(balance, await world.balance(accounts.buyer));
    assert.ok(rules.length >= 12 && rules.every(({ holds }: { holds: boolean }) => holds));
    const fields = [
      'amount',
      'created_at',
      'expires_at',
      'lot_id',
      'movements',
      'remaining',
      'source',
      'transaction_id',
    ];
    for (const lot of lots) {
      assert.deepEqual(Object.keys(lot).sort(), fields);
      const moved = lot.movements.reduce((sum: number, { change }: { change: number }) => sum + change, 0);
      assert.equal(lot.amount + moved, lot.remaining);
    }
    const [grant, bought] = lots;
    assert.deepEqual([grant.source, grant.transaction_id, bought.source], ['initial_grant', null, 'iap_purchase']);
    const { rows } = await world.owner.query('select transaction_id from purchases');
    assert.equal(bought.transaction_id, rows[0].transaction_id);
    // Three generations, of which one failed.
    assert.deepEqual(grant.movements.map(({ change }: { change: number }) => change).toSorted(), [-1, -1, -1, 1]);
    for (const { job_id, at } of grant.movements) {
      assert.match(job_id, /^[0-9a-f-]{36}$/);
      assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    const text = await run('explain-balance', accounts.buyer);
    assert.match(text.out, /\+10 {2}initial_grant → 10\n.*\+50 {2}iap_purchase → 60\n/);
    assert.match(text.out, /-2 {2}video_generation \(2 rows\) → 58\n.*\+1 {2}generation_failed_refund → 59/);
    assert.doesNotMatch(text.out, /BROKEN/);
  });

  it('explains a merged guest’s balance as its survivor’s, and knows no other account', async () => {
    const [guest, survivor] = [
      await run('explain-balance', accounts.guest),
      await run('explain-balance', accounts.survivor),
    ];
    assert.ok(guest.out.includes(survivor.out), guest.out);
    assert.match(guest.out, new RegExp(`The guest ${accounts.guest} was merged into ${accounts.survivor}`));
    assert.match(guest.out, /\+7 {2}account_merge → 12/);
    const unknown = await run('explain-balance', randomUUID());
    assert.deepEqual([unknown.code, unknown.out], [1, '']);
    assert.match(unknown.err, /There is no account/);
  });

  it('runs an upkeep task by its name, or all of them', async () => {
    const one = await run('maintenance', 'prune_logs');
    assert.deepEqual([one.code, one.out.replace(/\(.*\)/, '')], [0, 'prune_logs: done \n'], one.err);
    const all = await run('maintenance', 'all');
    assert.equal(all.code, 0, all.err);
    const names = all.out
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]);
    for (const name of ['check_changes', 'prune_logs', 'reconcile', 'sweep_uploads'])
      assert.ok(names.includes(name), name);
  });

  it('has the worker process a notification once more', async () => {
    const id = randomUUID();
    await world.call('record_store_notification', {
      ...{
        store: 'apple',
        notification_id: id,
        type: 'TEST',
        signed_at: new Date(),
        payload: 'signed',
        outcome: 'none',
      },
    });
    const waiting = async () => {
      const sql = `select count(*)::int as n from graphile_worker.jobs where key = $1`;
      return (await world.owner.query(sql, [`notification:apple:${id}`])).rows[0].n;
    };
    assert.equal(await waiting(), 0);
    assert.equal((await run('replay-notification', id.toUpperCase())).code, 0);
    assert.equal(await waiting(), 1);
    const unknown = await run('replay-notification', randomUUID());
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /There is no such notification/);
  });

  it('audits everything: exit code 0 while all rules hold, and 1 with a bounded explanation once one is broken', async () => {
    const clean = await run('audit');
    assert.deepEqual([clean.code, clean.err], [0, '']);
    assert.match(clean.out, /^\d+ rules over \d+ rows in [\d.]+ s: all rules hold\n$/);
    const planted = PLANTS.find(({ rule }) => rule === 'lots hold the balance');
    assert.ok(planted);
    await plant(world, planted, accounts);
    await world.owner.query(
      `begin; set local session_replication_role = replica;
       insert into users (device_id, credits_remaining) select 'device-' || n, 1 from generate_series(1, 30) n; commit`,
    );
    const broken = await run('audit', '--show', '3');
    assert.equal(broken.code, 1);
    assert.match(
      broken.out,
      /BROKEN: lots hold the balance \(31\)\n(?: {2}Account [0-9a-f-]{36} has a balance of \d+, but its lots hold \d+\.\n){3} {2}and 28 more\n/,
    );
    assert.match(broken.out, /\d+ rules over \d+ rows in [\d.]+ s: \d of them broken\n$/);
    const explained = await run('explain-balance', accounts.buyer);
    assert.match(explained.out, /BROKEN {2}lots hold the balance/);
  });
});

it('works on the embedded database beside a running server, and without one', async () => {
  const server = await startTestServer();
  const { dataDir } = server;
  const env = { DATA_DIR: dataDir };
  try {
    const beside = await admin(['audit'], env);
    assert.equal(beside.code, 0, beside.err);
    assert.equal((await admin(['maintenance', 'check_changes'], env)).code, 0);
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200, 'the server goes on');
    await server.kill('SIGTERM');
    const alone = await admin(['audit'], env);
    assert.equal(alone.code, 0, alone.err);
    assert.match(alone.out, /all rules hold/);
  } finally {
    await server.stop();
  }
});
