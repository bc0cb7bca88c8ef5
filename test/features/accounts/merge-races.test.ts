/** Merges beside everything else that an account does: each call waits at the row of the guest, in an order that the test chooses. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { until } from '../../media/until.ts';
import { type Lock, lock, waitingForLocks } from '../../support/locks.ts';
import { type Answer, createPeople, newSub } from '../../support/people.ts';
import { addCredits } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
after(() => app[Symbol.asyncDispose]());

async function pair({ survivor: s = 5, guest: g = 20 } = {}) {
  const sub = newSub();
  return { sub, survivor: await people.appleUser(sub, s), guest: await people.guest(g) };
}

const holdUser = (id: string) => lock(app, 'select from users where id = $1 for update', [id]);

/** Starts the calls one after another; each waits for a lock before the next one starts. */
async function inLine<T>(calls: (() => Promise<T>)[]): Promise<Promise<T>[]> {
  const started: Promise<T>[] = [];
  for (const call of calls) {
    started.push(call());
    await until(async () => (await waitingForLocks(app)) >= started.length);
  }
  return started;
}

/** A merge that is done and not committed. */
async function heldMerge({ guest, survivor }: Awaited<ReturnType<typeof pair>>): Promise<Lock> {
  return lock(
    app,
    `with locked as materialized (select id from users where id in ($1, $2) order by id for update)
     select merge_guest($1, $2) from locked limit 1`,
    [guest.id, survivor.id],
  );
}

const OK = (answers: Answer[]) => {
  for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body));
};

describe('a guest that is merged while it spends, uploads and buys', () => {
  for (const place of [0, 3, 7]) {
    it(`loses and doubles no credit, and every call succeeds: the merge is number ${place + 1} in line`, async () => {
      const { sub, survivor, guest } = await pair();
      await using held = await holdUser(guest.id);
      const path = `${guest.id}/cat.png`;
      const calls: (() => Promise<unknown>)[] = [
        ...Array.from({ length: 5 }, () => () => people.generate(guest.token)),
        () => people.upload(guest.token, path),
        () => addCredits(app.owner, guest.id, 4),
      ];
      calls.splice(place, 0, () => people.merge(guest.token, { sub }));
      const started = await inLine(calls);
      await held.release();
      OK((await Promise.all(started)).filter((answer) => answer !== undefined) as Answer[]);
      assert.equal(await app.balance(survivor.id), 5 + 20 - 5 + 4);
      assert.equal(await app.balance(guest.id), 0);
      await app.drain();
      const { jobs, total } = (await people.call(survivor.token, 'get-video-jobs?limit=10')).body;
      assert.equal(total, 5);
      assert.ok(jobs.every(({ status }: { status: string }) => status === 'completed'));
      const sign = { expiresIn: 60 };
      assert.equal(
        (await people.call(survivor.token, `/storage/v1/object/sign/user_uploads/${path}`, sign)).status,
        200,
      );
      await people.assertUnbroken();
    });
  }

  it('keeps its running jobs, whichever way they end meanwhile', async () => {
    const two = await pair();
    const jobs = [];
    for (let n = 0; n < 4; n += 1) jobs.push(await app.generate(two.guest.id));
    await using held = await heldMerge(two);
    const { db } = app.ctx;
    const [failed = '', cancelled = '', attempted = '', deleted = ''] = jobs;
    const ends = await inLine<unknown>([
      () => db.call('fail_generation', { job_id: failed, error_code: 'ERR_5002', cause: 'a test' }),
      () => db.call('cancel_generation', { user_id: two.guest.id, job_id: cancelled }),
      () => db.call('begin_attempt', { job_id: attempted }),
      () => db.call('delete_generation', { user_id: two.guest.id, job_id: deleted }),
    ]);
    await held.release();
    const [hasFailed, cancel, attempt, deletion] = await Promise.all(ends);
    assert.equal(hasFailed, true);
    assert.equal(Object(cancel).outcome, 'cancelled');
    assert.equal(Object(attempt).outcome, 'claimed');
    assert.equal(deletion, 'running');
    assert.equal(await app.balance(two.survivor.id), 5 + 20 - 2);
    await people.assertUnbroken();
  });

  it('locks the survivor’s row before a job’s, also for a call that has waited for the merge', async () => {
    // Moves a job without its credits, so the money does not add up afterwards: in a database of its own.
    await using own = await createPeople();
    const [survivor, guest] = [await own.appleUser(newSub(), 5), await own.guest(20)];
    const jobId = await own.app.generate(guest.id);
    await using next = await lock(own.app, 'select from users where id = $1 for no key update', [survivor.id]);
    // What a merge does with a job, under the guest's row lock.
    const move = `with locked as materialized (select from users where id = $1 for update),
      moved as (update video_jobs set user_id = $2 where user_id = $1)
      select from locked`;
    await using held = await lock(own.app, move, [guest.id, survivor.id]);
    const failing = own.app.ctx.db.call('fail_generation', { job_id: jobId, error_code: 'ERR_5002', cause: 'a test' });
    await until(async () => (await waitingForLocks(own.app)) === 1);
    await held.release();
    const waits = `select from pg_locks where not granted and locktype = 'transactionid'
      and transactionid = (select backend_xid from pg_stat_activity where pid = $1)`;
    await until(async () => (await own.rows(waits, [next.pid])).length === 1);
    assert.equal(
      (await own.rows('select job_id from video_jobs where job_id = $1 for update nowait', [jobId])).length,
      1,
    );
    await next.release();
    assert.equal(await failing, true);
  });
});

describe('calls that wait for a merge', () => {
  it('remove the guest’s uploads, change the survivor’s profile, and refresh into the survivor', async () => {
    const two = await pair();
    const path = `${two.guest.id}/cat.png`;
    assert.equal((await people.upload(two.guest.token, path)).status, 200);
    await using held = await heldMerge(two);
    const { db } = app.ctx;
    const started = await inLine<unknown>([
      () => db.call('remove_uploads', { user_id: two.guest.id, paths: [path] }),
      () => db.call('update_profile', { user_id: two.guest.id, theme_preference: 'dark' }),
      () => people.refresh(two.guest.refreshToken),
    ]);
    await held.release();
    const [removed, isUpdated, refreshed] = await Promise.all(started);
    assert.deepEqual(
      Object(removed).map((upload: { path: string }) => upload.path),
      [path],
    );
    assert.equal(isUpdated, true);
    assert.equal(Object(refreshed).body.user.id, two.survivor.id);
    const [user] = await people.rows('select theme_preference from users where id = $1', [two.survivor.id]);
    assert.equal(user?.theme_preference, 'dark');
  });

  it('open no session of the guest, and find a new guest for its device', async () => {
    const two = await pair();
    const [{ device_id: deviceId } = {}] = await people.rows('select device_id from users where id = $1', [
      two.guest.id,
    ]);
    await using held = await heldMerge(two);
    const session = { session_id: randomUUID(), token_hash: Buffer.alloc(32, 1), nonce: Buffer.alloc(32, 2) };
    const started = await inLine<unknown>([
      () =>
        app.ctx.db.call('open_device_session', {
          ...session,
          user_id: two.guest.id,
          device_id: String(deviceId),
          lifetime_seconds: 60,
        }),
      () => app.ctx.db.call('onboard_device', { device_id: String(deviceId) }),
    ]);
    await held.release();
    const [isOpen, onboarded] = await Promise.all(started);
    assert.equal(isOpen, false);
    assert.equal(Object(onboarded).is_new, true);
    assert.deepEqual([Object(onboarded).credits_remaining, Object(onboarded).has_open_claim], [0, false]);
  });
});

describe('merges at the same time', () => {
  it('of one guest move everything once, and all succeed', async () => {
    const { sub, survivor, guest } = await pair();
    const identity_token = await people.apple.identityToken({ sub });
    await using held = await holdUser(survivor.id);
    const merges = Array.from({ length: 10 }, () => people.call(guest.token, 'merge-guest-user', { identity_token }));
    await until(async () => (await waitingForLocks(app)) === 8);
    await held.release();
    OK(await Promise.all(merges));
    assert.equal(await app.balance(survivor.id), 25);
    assert.equal((await people.ledger(survivor.id)).filter(({ reason }) => reason === 'account_merge').length, 1);
    await people.assertUnbroken();
  });

  it('of two guests into one account bring both', async () => {
    const { sub, survivor, guest } = await pair();
    const second = await people.guest(3);
    await using held = await holdUser(survivor.id);
    const merges = await inLine(
      [guest, second].map(
        ({ token }) =>
          () =>
            people.merge(token, { sub }),
      ),
    );
    await held.release();
    OK(await Promise.all(merges));
    assert.equal(await app.balance(survivor.id), 28);
    await people.assertUnbroken();
  });

  it('of two guests who become one new account make one of them the account', async () => {
    const sub = newSub();
    const guests = [await people.guest(3), await people.guest(4)];
    const merged = await Promise.all(guests.map(({ token }) => people.merge(token, { sub })));
    OK(merged);
    const ids = new Set(merged.map(({ body }) => body.user.id));
    assert.equal(ids.size, 1);
    assert.equal(await app.balance([...ids][0]), 7);
    await people.assertUnbroken();
  });

  it('into two accounts, by guests in both directions, never wait for each other for ever, and each guest goes to one', async () => {
    const subs = [newSub(), newSub()];
    const survivors = [await people.appleUser(subs[0] ?? '', 1), await people.appleUser(subs[1] ?? '', 1)];
    const guests = await Promise.all(Array.from({ length: 6 }, () => people.guest(2)));
    const answers = await Promise.all(
      guests.map(({ token }, index) => {
        const order = index % 2 === 0 ? subs : [...subs].reverse();
        return Promise.all(order.map((sub) => people.merge(token, { sub })));
      }),
    );
    for (const two of answers) assert.deepEqual(two.map(({ status }) => status).sort(), [200, 409]);
    const balances = await Promise.all(survivors.map(({ id }) => app.balance(id)));
    assert.equal(
      balances.reduce((sum, balance) => sum + balance, 0),
      14,
    );
    await people.assertUnbroken();
  });
});

describe('a deletion beside a merge', () => {
  it('of the survivor, before it: the guest stays whole', async () => {
    const { sub, survivor, guest } = await pair();
    await using held = await holdUser(survivor.id);
    const [deleted, merged] = await inLine([
      () => people.call(survivor.token, 'delete-account', {}),
      () => people.merge(guest.token, { sub }),
    ]);
    await held.release();
    assert.equal((await deleted)?.status, 200);
    assert.equal((await merged)?.body.user?.id, guest.id);
    assert.equal((await people.call(guest.token, 'get-user-credits')).body.credits_remaining, 20);
    assert.equal((await people.call(survivor.token, 'get-user-credits')).status, 401);
    await people.assertUnbroken();
  });

  for (const by of ['survivor', 'guest'] as const) {
    it(`by the ${by}, after it: the merge is whole, and deleted too`, async () => {
      const two = await pair();
      const jobId = await app.generate(two.guest.id);
      await using held = await holdUser(two[by].id);
      const [merged, deleted] = await inLine([
        () => people.merge(two.guest.token, { sub: two.sub }),
        () => people.call(two[by].token, 'delete-account', {}),
      ]);
      await held.release();
      assert.equal((await deleted)?.status, 200);
      // Its session is opened in a transaction of its own, before the deletion or after it.
      assert.ok([200, 401].includes((await merged)?.status ?? 0));
      for (const { token, refreshToken } of [two.guest, two.survivor]) {
        assert.equal((await people.call(token, 'get-user-credits')).status, 401);
        assert.equal((await people.refresh(refreshToken)).status, 400);
      }
      assert.equal((await app.job(jobId)).error_code, 'ERR_5004');
      const open = 'select from sessions where user_id in ($1, $2)';
      assert.deepEqual(await people.rows(open, [two.guest.id, two.survivor.id]), []);
      await people.assertUnbroken();
    });
  }

  it('of the guest, before it: the account of the Apple user stays as it was', async () => {
    const { sub, survivor, guest } = await pair();
    await using held = await holdUser(guest.id);
    const [deleted, merged] = await inLine([
      () => people.call(guest.token, 'delete-account', {}),
      () => people.merge(guest.token, { sub }),
    ]);
    await held.release();
    assert.equal((await deleted)?.status, 200);
    assert.equal((await merged)?.status, 401);
    assert.equal((await people.call(survivor.token, 'get-user-credits')).body.credits_remaining, 5);
    await people.assertUnbroken();
  });
});
