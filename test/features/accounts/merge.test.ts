import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { createPeople, newSub } from '../../support/people.ts';
import { addCredits, callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
after(() => app[Symbol.asyncDispose]());

/** Two accounts of one person. */
async function pair({ survivor: s = 5, guest: g = 7 } = {}) {
  const sub = newSub();
  return { sub, survivor: await people.appleUser(sub, s), guest: await people.guest(g) };
}

describe('merging a guest', () => {
  it('makes it the account of an Apple user who has none', async () => {
    const { id, token } = await people.guest();
    const sub = newSub();
    const merged = await people.merge(token, { sub, email: 'ada@example.com', email_verified: 'true' });
    assert.equal(merged.status, 200, JSON.stringify(merged.body));
    assert.equal(merged.body.user.id, id);
    assert.equal(merged.body.user.apple_sub, sub);
    assert.equal(merged.body.user.is_guest, false);
    assert.equal(merged.body.user.credits_remaining, 10);
    assert.equal(merged.body.session.user.is_anonymous, false);
    assert.ok(merged.body.session.user.email_confirmed_at);
    await people.assertUnbroken();
  });

  it('moves credits by two rows, and jobs, to the account that the Apple user has', async () => {
    const { sub, survivor, guest } = await pair();
    const jobId = await app.generate(guest.id);
    const merged = await people.merge(guest.token, { sub });
    assert.equal(merged.status, 200, JSON.stringify(merged.body));
    assert.equal(merged.body.user.id, survivor.id);
    assert.equal(merged.body.user.credits_remaining, 11);
    assert.equal(merged.body.user.credits_total, 12);
    assert.deepEqual((await people.ledger(guest.id)).at(-1), { change: -6, reason: 'account_merge', balance_after: 0 });
    assert.deepEqual((await people.ledger(survivor.id)).at(-1), {
      change: 6,
      reason: 'account_merge',
      balance_after: 11,
    });
    assert.equal((await people.call(survivor.token, `get-video-status?job_id=${jobId}`)).status, 200);
    await app.drain();
    const done = await people.call(survivor.token, `get-video-status?job_id=${jobId}`);
    assert.equal(done.body.status, 'completed');
    await people.assertUnbroken();
  });

  it('moves nothing when it is repeated, with the guest’s token, with the survivor’s, and with another identity token', async () => {
    const { sub, survivor, guest } = await pair();
    const identity_token = await people.apple.identityToken({ sub });
    for (const token of [guest.token, guest.token, survivor.token]) {
      const merged = await people.call(token, 'merge-guest-user', { identity_token });
      assert.equal(merged.status, 200, JSON.stringify(merged.body));
      assert.equal(merged.body.user.id, survivor.id);
    }
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await people.ledger(survivor.id)).filter(({ reason }) => reason === 'account_merge').length, 1);
    assert.equal(await app.balance(survivor.id), 12);
    await people.assertUnbroken();
  });

  it('moves a debt', async () => {
    const { sub, survivor, guest } = await pair({ survivor: 5, guest: 3 });
    await callAsOwner(app.owner, 'apply_credits', {
      user_id: guest.id,
      change: -10,
      reason: 'apple_refund',
      job_id: null,
      transaction_id: null,
    });
    assert.equal((await people.merge(guest.token, { sub })).body.user.credits_remaining, -2);
    assert.equal(await app.balance(guest.id), 0);
    assert.equal((await people.generate(guest.token)).status, 402);
    assert.equal((await people.call(survivor.token, 'get-user-credits')).body.credits_remaining, -2);
    await people.assertUnbroken();
  });

  it('is a 409 for a guest that was merged into another Apple account before, and for another Apple user', async () => {
    const { sub, survivor, guest } = await pair();
    const other = await people.appleUser(newSub());
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    const [{ apple_sub: otherSub } = {}] = await people.rows('select apple_sub from users where id = $1', [other.id]);
    for (const [token, theirs] of [
      [guest.token, otherSub],
      [guest.token, newSub()],
      [survivor.token, otherSub],
    ] as const) {
      const refused = await people.merge(token, { sub: theirs });
      assert.equal(refused.status, 409);
      assert.equal(refused.body.error.code, 'ERR_4008');
    }
    assert.equal(await app.balance(survivor.id), 12);
    await people.assertUnbroken();
  });

  for (const banned of ['guest', 'survivor'] as const) {
    it(`is a 403 that moves nothing while the ${banned} is banned`, async () => {
      const two = await pair();
      await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'spam')`, [two[banned].id]);
      const refused = await people.merge(two.guest.token, { sub: two.sub });
      assert.equal(refused.status, 403);
      assert.equal(refused.body.error.code, 'ERR_4013');
      assert.deepEqual([await app.balance(two.guest.id), await app.balance(two.survivor.id)], [7, 5]);
      assert.deepEqual(await people.rows('select from merged_users where user_id = $1', [two.guest.id]), []);
      await app.owner.query('delete from user_bans where user_id = $1', [two[banned].id]);
      assert.equal((await people.merge(two.guest.token, { sub: two.sub })).status, 200);
    });
  }

  it('keeps the survivor’s language and theme, and the better tier of the two', async () => {
    const { sub, survivor, guest } = await pair();
    await people.call(survivor.token, 'update-user-profile', { language: 'tr', theme_preference: 'dark' });
    await people.call(guest.token, 'update-user-profile', { language: 'es', theme_preference: 'light' });
    await app.owner.query(`update users set tier = 'premium' where id = $1`, [guest.id]);
    const { user } = (await people.merge(guest.token, { sub })).body;
    assert.deepEqual([user.language, user.theme_preference, user.tier], ['tr', 'dark', 'premium']);
  });

  it('shows the survivor its own history, with one row for the guest’s', async () => {
    const { sub, survivor, guest } = await pair();
    await app.generate(guest.id);
    await people.merge(guest.token, { sub });
    for (const { token } of [survivor, guest]) {
      const { transactions } = (await people.call(token, 'get-credit-history')).body;
      assert.deepEqual(
        transactions.map(({ change, reason }: Record<string, unknown>) => `${reason} ${change}`),
        ['account_merge 6', 'iap_purchase 5'],
      );
    }
  });

  it('gives no slot of a rate limit back, and takes none from it', async () => {
    const { sub, survivor, guest } = await pair({ guest: 10 });
    for (let n = 0; n < 3; n += 1) await app.generate(guest.id);
    await app.generate(survivor.id);
    await people.merge(guest.token, { sub });
    const begun = await people.generate(survivor.token);
    assert.equal(begun.status, 200);
    const [, limit, remaining] = /q=(\d+).*\|.*r=(\d+)/.exec(
      `${begun.headers.get('RateLimit-Policy')}|${begun.headers.get('RateLimit')}`,
    ) ?? [null, '0', '0'];
    assert.equal(Number(limit) - Number(remaining), 5);
  });

  it('leaves a token that one guest has used to no other', async () => {
    const { sub, guest } = await pair();
    const identity_token = await people.apple.identityToken({ sub });
    assert.equal((await people.call(guest.token, 'merge-guest-user', { identity_token })).status, 200);
    const thief = await people.guest();
    assert.equal((await people.call(thief.token, 'merge-guest-user', { identity_token })).status, 401);
    assert.equal(await app.balance(thief.id), 10);
  });
});

describe('the credits of a merged guest', () => {
  it('go to the survivor when they arrive late', async () => {
    const { sub, survivor, guest } = await pair({ survivor: 1, guest: 2 });
    await people.merge(guest.token, { sub });
    await addCredits(app.owner, guest.id, 4);
    assert.equal(await app.balance(survivor.id), 7);
    await people.assertUnbroken();
  });

  it('of two devices are both grants; of one device they are one', async () => {
    const sub = newSub();
    const survivor = await people.appleUser(sub);
    const grant = async (id: string) => {
      await app.ctx.db.call('claim_initial_grant', { user_id: id });
      return app.ctx.db.call('complete_initial_grant', { user_id: id });
    };
    const [first, second] = [await people.guest(0), await people.guest(0)];
    for (const { id } of [first, second]) assert.equal(await grant(id), 10);
    for (const { token } of [first, second]) assert.equal((await people.merge(token, { sub })).status, 200);
    assert.equal(await app.balance(survivor.id), 20);
    // The survivor, which has had a grant, claims none; nor does a guest whose grant has gone to it.
    for (const { id } of [survivor, first]) {
      assert.equal(await app.ctx.db.call('claim_initial_grant', { user_id: id }), false);
      assert.equal(await app.ctx.db.call('complete_initial_grant', { user_id: id }), null);
    }
    await people.assertUnbroken();
  });

  it('are granted to the survivor, once, when Apple confirms a grant after the merge', async () => {
    const sub = newSub();
    const survivor = await people.appleUser(sub, 1);
    const guest = await people.guest(0);
    assert.equal(await app.ctx.db.call('claim_initial_grant', { user_id: guest.id }), true);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal(await app.ctx.db.call('complete_initial_grant', { user_id: guest.id }), 11);
    assert.equal(await app.ctx.db.call('complete_initial_grant', { user_id: guest.id }), null);
    const [user] = await people.rows('select credits_total, initial_grant_claimed from users where id = $1', [
      survivor.id,
    ]);
    assert.deepEqual(user, { credits_total: 11, initial_grant_claimed: true });
    await people.assertUnbroken();
  });
});

describe('the old id and the tokens of a merged guest', () => {
  it('address the survivor in every call; other ids stay a 403', async () => {
    const { sub, survivor, guest } = await pair();
    const stranger = await people.guest();
    await people.merge(guest.token, { sub });
    for (const { token } of [guest, survivor]) {
      for (const id of [guest.id, survivor.id, guest.id.toUpperCase()]) {
        assert.equal((await people.call(token, `get-user-credits?user_id=${id}`)).body.credits_remaining, 12);
        const change = { user_id: id, theme_preference: 'dark' };
        assert.equal((await people.call(token, 'update-user-profile', change)).body.id, survivor.id);
      }
      assert.equal((await people.call(token, `get-user-credits?user_id=${stranger.id}`)).status, 403);
      assert.equal((await people.call(token, 'update-user-profile', { user_id: stranger.id })).status, 403);
    }
    assert.equal((await people.call(stranger.token, `get-user-credits?user_id=${guest.id}`)).status, 403);
  });

  it('refresh for ever', async () => {
    const { sub, survivor, guest } = await pair();
    await people.merge(guest.token, { sub });
    let { refreshToken } = guest;
    for (let n = 0; n < 3; n += 1) {
      const refreshed = await people.refresh(refreshToken);
      assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body));
      assert.equal(refreshed.body.user.id, survivor.id);
      refreshToken = refreshed.body.refresh_token;
    }
  });

  it('replay the guest’s idempotency keys', async () => {
    const { sub, survivor, guest } = await pair();
    const key = randomUUID();
    const begun = await people.generate(guest.token, {}, key);
    assert.equal(begun.status, 200, JSON.stringify(begun.body));
    await people.merge(guest.token, { sub });
    for (const { token } of [guest, survivor]) {
      const again = await people.generate(token, {}, key);
      assert.deepEqual(again.body, begun.body);
      assert.equal(again.headers.get('X-Idempotent-Replay'), 'true');
    }
    assert.equal(await app.balance(survivor.id), 11);
  });

  it('open the guest’s folder: to list, read, sign, write and delete, also by links of before', async () => {
    const { sub, survivor, guest } = await pair();
    const before = `${guest.id}/before.png`;
    assert.equal((await people.upload(guest.token, before)).status, 200);
    const sign = (token: string, path: string) =>
      people.call(token, `/storage/v1/object/sign/user_uploads/${path}`, { expiresIn: 60 });
    const signedBefore = (await sign(guest.token, before)).body.signedURL;
    const link = (
      await people.call(guest.token, `/storage/v1/object/upload/sign/user_uploads/${guest.id}/link.png`, {})
    ).body.url;
    await people.merge(guest.token, { sub });

    for (const [index, { token }] of [guest, survivor].entries()) {
      assert.equal((await people.upload(token, `${guest.id}/after-${index}.png`)).status, 200);
      const names = (await people.call(token, '/storage/v1/object/list/user_uploads', { prefix: guest.id })).body;
      assert.ok(names.some(({ name }: { name: string }) => name === 'before.png'));
      const read = await app.fetch(`/storage/v1/object/user_uploads/${before}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      assert.equal(read.status, 200);
      assert.equal((await sign(token, before.toUpperCase().replace('BEFORE.PNG', 'before.png'))).status, 200);
    }
    assert.equal((await app.fetch(`/storage/v1${signedBefore}`)).status, 200);
    const { makeImage } = await import('../../support/upload-images.ts');
    const put = await app.fetch(`/storage/v1${link}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'image/png' },
      body: Uint8Array.from(makeImage('png')),
    });
    assert.equal(put.status, 200, await put.text());
    const [{ n } = {}] = await people.rows(
      'select count(*)::int as n from uploads where user_id = $1 and stored_at is not null',
      [survivor.id],
    );
    assert.equal(n, 4);
    const removed = await app.fetch('/storage/v1/object/user_uploads', {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${survivor.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ prefixes: [before] }),
    });
    assert.equal((await removed.json()).length, 1);
    assert.equal((await app.fetch(`/storage/v1${signedBefore}`)).status, 404);

    const stranger = await people.guest();
    assert.equal((await people.upload(stranger.token, `${guest.id}/theirs.png`)).status, 403);
    assert.ok([400, 404].includes((await sign(stranger.token, `${guest.id}/after-0.png`)).status));
  });

  it('name the image of a generation', async () => {
    const { sub, survivor, guest } = await pair();
    const path = `${guest.id}/cat.png`;
    assert.equal((await people.upload(guest.token, path)).status, 200);
    await people.merge(guest.token, { sub });
    await app.owner.query(`update models set requires_image = true where name = 'Sandbox'`);
    try {
      for (const { token } of [guest, survivor]) {
        assert.equal((await people.generate(token, { image_url: path })).status, 200);
      }
      const stranger = await people.guest();
      assert.equal((await people.generate(stranger.token, { image_url: path })).status, 400);
    } finally {
      await app.owner.query(`update models set requires_image = false where name = 'Sandbox'`);
    }
  });

  it('read the survivor’s rows, and the folders of both, under row-level security', async () => {
    const { sub, survivor, guest } = await pair();
    await app.generate(guest.id);
    await people.merge(guest.token, { sub });
    const [session] = await people.rows('select id from sessions where user_id = $1 limit 1', [survivor.id]);
    const seen = async (claims: object) => {
      const client = await app.owner.connect();
      try {
        await client.query('begin');
        await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
        await client.query('set local role authenticated');
        const { rows } = await client.query(
          `select (select array_agg(id) from users) as users, (select count(*)::int from video_jobs) as jobs,
             (select count(*)::int from quota_log) as transactions, current_user_folders() as folders`,
        );
        return rows[0];
      } finally {
        await client.query('rollback');
        client.release();
      }
    };
    for (const id of [guest.id, survivor.id]) {
      const { folders, ...rest } = await seen({ sub: id, session_id: session?.id });
      assert.deepEqual(rest, { users: [survivor.id], jobs: 1, transactions: 2 });
      assert.deepEqual([...folders].sort(), [guest.id, survivor.id].sort());
    }
    const nothing = { users: null, jobs: 0, transactions: 0, folders: null };
    assert.deepEqual(await seen({ sub: guest.id, session_id: randomUUID() }), nothing);
    await people.call(guest.token, 'delete-account', {});
    assert.deepEqual(await seen({ sub: guest.id }), nothing);
  });
});
