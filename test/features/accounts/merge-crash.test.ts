/** A merge that is cut off anywhere, in the database or in the server: it is whole or it has not begun, and a repeat completes it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mergeGuest } from '../../../src/features/accounts/merge.ts';
import { createPeople, newSub, type People } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

/** What a merge runs in the database. */
const PROCEDURES = ['link_apple_identity', 'merge_guest', 'move_balance', 'record_apple_identity', 'redact_notes'];

/** Puts `perform test_kill(n)` after every statement of a procedure's body. Returns the next number. */
function withKills(source: string, first: number): { source: string; next: number } {
  let number = first;
  let isBody = false;
  const lines = source.split('\n').map((line) => {
    const isStatement = isBody && line.trimEnd().endsWith(';') && !line.trimStart().startsWith('--');
    isBody ||= line.trim() === 'begin';
    if (!isStatement) return line;
    number += 1;
    return `${line} perform public.test_kill(${number - 1});`;
  });
  return { source: lines.join('\n'), next: number };
}

describe('a merge that is cut off', () => {
  let people: People;
  before(async () => {
    people = await createPeople();
  });
  after(() => people[Symbol.asyncDispose]());

  async function pair() {
    const { app } = people;
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub, 5), await people.guest(7)];
    await app.generate(guest.id);
    await callAsOwner(app.owner, 'update_user_metadata', { user_id: guest.id, data: { nickname: 'ada' } });
    const identityToken = await people.apple.identityToken({ sub, email: 'ada@example.com' });
    return { sub, survivor, guest, identityToken };
  }

  /** All rows of the tables that a merge changes. */
  async function everything(): Promise<unknown> {
    const tables = [
      ...[
        'users',
        'merged_users',
        'quota_log',
        'video_jobs',
        'sessions',
        'user_events',
        'job_counters',
        'user_metadata',
      ],
      ...['used_identity_tokens', 'idempotency_log', 'rate_limit_log', 'apple_identities', 'apple_tokens'],
    ];
    const rows = tables.map((table) => people.rows(`select t::text as row from ${table} t order by 1`));
    return Promise.all(rows);
  }

  async function assertMerged({ survivor, guest }: Awaited<ReturnType<typeof pair>>): Promise<void> {
    assert.equal(await people.app.balance(survivor.id), 11);
    assert.equal(await people.app.balance(guest.id), 0);
    assert.equal((await people.ledger(survivor.id)).filter(({ reason }) => reason === 'account_merge').length, 1);
    assert.equal((await people.call(guest.token, 'get-video-jobs')).body.total, 1);
    await people.assertUnbroken();
  }

  it('after any statement in the database has not begun; its repeat merges everything once', async () => {
    const { app } = people;
    await people.rows('create table test_kill_at (number integer not null)');
    await people.rows('insert into test_kill_at values (-1)');
    await people.rows(
      `create function test_kill(p_number integer) returns void language plpgsql security definer set search_path = '' as
       $$ begin
         if (select number from public.test_kill_at) = p_number then
           perform pg_terminate_backend(pg_backend_pid());
           perform pg_sleep(60);
         end if;
       end $$`,
    );
    let boundaries = 0;
    for (const procedure of PROCEDURES) {
      const sql = `select pg_get_functiondef(oid) as source from pg_proc where proname = $1`;
      const [row] = await people.rows(sql, [procedure]);
      const { source, next } = withKills(String(row?.source), boundaries);
      assert.ok(next > boundaries, `${procedure} has statements`);
      boundaries = next;
      await people.rows(source);
    }
    let two = await pair();
    let killed = 0;
    for (let number = 0; number < boundaries; number += 1) {
      await people.rows('update test_kill_at set number = $1', [number]);
      const earlier = await everything();
      const body = { identity_token: two.identityToken };
      const { status } = await people.call(two.guest.token, 'merge-guest-user', body);
      if (status !== 200) {
        assert.equal(status, 503, `boundary ${number}`);
        assert.deepEqual(await everything(), earlier, `boundary ${number}`);
        killed += 1;
        continue;
      }
      // A merge does not come by this statement.
      await people.rows('update test_kill_at set number = -1');
      await assertMerged(two);
      two = await pair();
    }
    await people.rows('update test_kill_at set number = -1');
    assert.equal(
      (await people.call(two.guest.token, 'merge-guest-user', { identity_token: two.identityToken })).status,
      200,
    );
    await assertMerged(two);
    assert.ok(killed >= 30, `${killed} of ${boundaries} boundaries`);
    await app.drain();
  });

  it('before or after any step of a server is completed by its repeat', async () => {
    const { ctx } = people.app;
    const { appleSignIn } = ctx;
    assert.ok(appleSignIn);
    for (let killedAt = 1; ; killedAt += 1) {
      for (const isDone of [false, true]) {
        const two = await pair();
        const steps: string[] = [];
        let isKilled = false;
        const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
          if (isKilled) throw new Error('killed');
          steps.push(name);
          if (steps.length !== killedAt) return run();
          if (isDone) await run();
          isKilled = true;
          throw new Error('killed');
        };
        const server: typeof ctx = {
          ...ctx,
          db: { ...ctx.db, call: (procedure, args) => step(procedure, () => ctx.db.call(procedure, args)) },
          appleSignIn: {
            ...appleSignIn,
            exchangeCode: (...args) => step('exchange', () => appleSignIn.exchangeCode(...args)),
          },
        };
        const input = {
          userId: two.guest.id,
          sessionId: null,
          callerIds: [two.guest.id],
          identityToken: two.identityToken,
          nonce: null,
          authorizationCode: 'a-code',
          deviceId: null,
          appleSub: null,
        };
        const cut = await mergeGuest(server, input).then(
          () => null,
          (error: Error) => error.message,
        );
        if (!isKilled) {
          assert.deepEqual(steps, ['link_apple_identity', 'exchange', 'store_apple_token', 'open_session']);
          return;
        }
        assert.ok(cut === 'killed' || steps.includes('store_apple_token'), `${cut}`);
        const session = await mergeGuest(ctx, input);
        assert.equal(session.user.id, two.survivor.id);
        await assertMerged(two);
        const tokens = await people.rows('select from apple_tokens where user_id = $1', [two.survivor.id]);
        assert.equal(tokens.length, 1);
      }
    }
  });
});
