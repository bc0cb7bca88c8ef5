/** The operator's command line on DATABASE_URL. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { admin, adminHere } from '../support/admin-command.ts';
import { PLANTS, type PlantedAccounts, plant, seedMoney } from '../support/broken-money.ts';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';

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
  const env = () => ({ DATABASE_URL: world.url, DATA_DIR: dataDir });
  const run = (...args: string[]) => adminHere(args, env());
  const runApart = (...args: string[]) => admin(args, env());

  it('lists its commands for --help, and ends with 2 for what it does not know', async () => {
    const help = await admin(['--help']);
    assert.equal(help.code, 0);
    for (const name of [
      'create <email>',
      'link <email>',
      'token <email>',
      'revoke <email>',
      'refund <user> <credits> --reason <text>',
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
    for (const name of ['create', 'link', 'token', 'revoke'])
      misused.push([name], [name, 'ada'], [name, 'a@b.c', 'd@e.f']);
    const user = randomUUID();
    misused.push(
      ['refund', user, '5'],
      ['refund', user, '5', '--reason', 'ab'],
      ['refund', 'ada', '5', '--reason', 'why'],
    );
    for (const credits of ['0', '-5', '+5', '1.5', '1e3', '10001', 'all', ''])
      misused.push(['refund', user, credits, '--reason', 'why']);
    misused.push(['refund', user, '5', '6', '--reason', 'why'], ['refund', user, '5', '--why', 'why']);
    for (const args of misused) {
      const { code, out, err } = await run(...args);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
      assert.match(err, /\n\nUsage:\n {2}npm run admin -- /);
    }
  });

  it('makes an administrator, lets them in, ends their rights and gives them back; each is recorded', async () => {
    const email = 'Ada.Lovelace@example.com';
    const actions = async () =>
      (
        await world.owner.query(
          `select action_type as type, admin_user_id as by from admin_actions a join administrators on user_id = target_user_id
           where email = lower($1) order by a.id`,
          [email],
        )
      ).rows;
    assert.match(
      (await run('link', email)).err,
      /There is no administrator ada.lovelace@example.com. `create` makes one/,
    );
    const created = await run('create', email);
    assert.match(created.out, /^http:\/\/localhost:8787\/admin#link=[\w-]{43}\n$/);
    const apart = await adminHere(['link', email], { ...env(), PUBLIC_URL: 'https://api.example.com' });
    assert.match(apart.out, /^https:\/\/api.example.com\/admin#link=[\w-]{43}\n$/);
    const port = await adminHere(['link', email], { ...env(), PORT: '0' });
    assert.match(port.err, /put the port that it chooses/);
    const token = await run('token', email);
    assert.match(token.out.trim().split('\n').at(-1) ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/);
    for (let n = 0; n < 2; n += 1) assert.equal((await run('revoke', email)).code, 0);
    for (const name of ['link', 'token']) {
      const { code, out, err } = await run(name, email);
      assert.deepEqual([code, out, err.includes('were revoked. `create` gives them back')], [1, '', true], name);
    }
    assert.equal((await run('revoke', 'grace@example.com')).code, 1);
    assert.equal((await run('create', email)).code, 0);
    assert.deepEqual(
      await actions(),
      ['create', 'link', 'link', 'link', 'session', 'revoke', 'create', 'link'].map((what) => ({
        type: `administrator_${what}`,
        by: null,
      })),
    );
  });

  it('gives credits back each time that it runs, says what it did, and records it without an administrator', async () => {
    const { buyer } = accounts;
    const before = await world.balance(buyer);
    for (const n of [1, 2]) {
      const { code, out } = await run('refund', buyer.toUpperCase(), '1', '--reason', ' The video was black. ');
      assert.deepEqual([code, out], [0, `1 credit was given back. The balance of ${buyer} is ${before + n}.\n`]);
    }
    const { rows } = await world.owner.query(
      'select action_type, amount, reason, admin_user_id from admin_actions where target_user_id = $1',
      [buyer],
    );
    const row = { action_type: 'credit_refund', amount: 1, reason: 'The video was black.', admin_user_id: null };
    assert.deepEqual(rows, [row, row]);
    const unknown = await run('refund', randomUUID(), '1', '--reason', 'why');
    assert.deepEqual([unknown.code, unknown.out], [1, '']);
    assert.match(unknown.err, /There is no account/);
  });

  it('asks the App Store for what never arrived: the simulated one beside a development server', async () => {
    const { code, out, err } = await runApart('heal-purchases', '--days', '3');
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
      'next_cursor',
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
    const one = await runApart('maintenance', 'prune_logs');
    assert.deepEqual([one.code, one.out.replace(/\(.*\)/, '')], [0, 'prune_logs: done \n'], one.err);
    const all = await runApart('maintenance', 'all');
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
    const recorded = `select target from admin_actions where action_type = 'notification_replay'`;
    assert.deepEqual((await world.owner.query(recorded)).rows, [{ target: id.toUpperCase() }]);
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
