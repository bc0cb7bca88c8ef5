/** Codes: what they add, to whom, and how often. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { redeemCode } from '../../../src/features/credits/redeem.ts';
import { recordingLog } from '../../http/harness.ts';
import { createPeople, newSub } from '../../support/people.ts';
import { newCode, redeem, usesOf, wrongCode } from './codes.ts';

const log = recordingLog();
const people = await createPeople({ log });
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const ok = (credits_added: number, credits_remaining: number) => ({ success: true, credits_added, credits_remaining });

describe('a code', () => {
  it('adds its credits once, as earned for life, in a lot of their own that does not expire', async () => {
    const [guest, code] = [await people.guest(10), await newCode(people)];
    const first = await redeem(people, guest, code);
    assert.deepEqual([first.status, first.body], [200, ok(5, 15)]);
    const again = await redeem(people, guest, code);
    assert.deepEqual([again.status, again.body], [200, ok(0, 15)]);
    assert.deepEqual((await people.ledger(guest.id)).at(-1), { change: 5, reason: 'code_redeemed', balance_after: 15 });
    const lots = await people.rows(
      `select amount, remaining, is_purchased, expires_at from credit_lots where user_id = $1 and source = 'code_redeemed'`,
      [guest.id],
    );
    assert.deepEqual(lots, [{ amount: 5, remaining: 5, is_purchased: false, expires_at: null }]);
    const [user] = await people.rows('select credits_total from users where id = $1', [guest.id]);
    assert.equal(user?.credits_total, 15);
    assert.deepEqual(await usesOf(people, code), { uses: 1, users: [guest.id] });
  });

  it('is the same however it is typed', async () => {
    const code = await newCode(people, { code: 'GIFT2026' });
    for (const typed of [
      'gift2026',
      ' GIFT-2026 ',
      'g i f t – 2026',
      'ｇｉｆｔ－２０２６',
      'GİFT2026',
      'gıft\u200b2026',
    ]) {
      const guest = await people.guest(0);
      assert.deepEqual((await redeem(people, guest, typed)).body, ok(5, 5), typed);
    }
    assert.equal((await usesOf(people, code)).uses, 6);
  });

  it('repays a debt first', async () => {
    const guest = await people.guest(0);
    await people.rows(`select apply_credits($1, -7, 'apple_refund', null, null)`, [guest.id]);
    assert.deepEqual((await redeem(people, guest, await newCode(people))).body, ok(5, -2));
    assert.deepEqual((await redeem(people, guest, await newCode(people))).body, ok(5, 3));
  });

  it('that is unknown, expired, used up or like SQL is one and the same 400', async () => {
    const used = await newCode(people, { usesMax: 1 });
    await redeem(people, await people.guest(0), used);
    const expired = await newCode(people, { expiresAt: new Date(Date.now() - 1) });
    const bodies = new Set<string>();
    for (const code of [wrongCode(), used, expired, 'SELECT', 'DROP TABLE CODES', 'NULL']) {
      const { status, body } = await redeem(people, await people.guest(0), code);
      assert.equal(status, 400, code);
      bodies.add(JSON.stringify(body));
    }
    const [body = '', ...others] = bodies;
    assert.deepEqual(others, []);
    const { error } = JSON.parse(body);
    assert.deepEqual([error.code, error.details], ['ERR_4018', { field: 'code' }]);
    assert.match(error.message, /misspelt, expired or already used up/);
  });

  it('that cannot be one is 400 with the field, and no guess', async () => {
    const guest = await people.guest(0);
    for (const code of [undefined, null, 7, '', 'abc', '- -', "' or 1=1 --", 'x'.repeat(41), 'x'.repeat(5000), ['A']]) {
      const { status, body } = await redeem(people, guest, code);
      assert.deepEqual([status, body.error.code, body.error.details.field], [400, 'ERR_4006', 'code'], String(code));
    }
    assert.deepEqual(await people.rows('select from rate_limit_log where user_id = $1', [guest.id]), []);
  });

  it('expires while the clock runs: it works until then, and never after', async () => {
    const code = await newCode(people, { expiresAt: new Date(Date.now() + 3_600_000) });
    assert.equal((await redeem(people, await people.guest(0), code)).status, 200);
    await people.rows('update codes set expires_at = now() where code = $1', [code]);
    assert.equal((await redeem(people, await people.guest(0), code)).status, 400);
  });

  it('is never in the log; its id and the account are', async () => {
    const [guest, code] = [await people.guest(0), await newCode(people, { code: 'SECRET2026' })];
    log.lines.length = 0;
    await redeem(people, guest, code);
    await redeem(people, guest, code);
    const [row] = await people.rows('select id from codes where code = $1', [code]);
    const lines = log.lines.filter(({ message }) => message === 'a code was redeemed');
    assert.deepEqual(lines, [
      {
        level: 'info',
        fields: { event: 'code_redeemed', user_id: guest.id, code_id: row?.id, credits: 5 },
        message: 'a code was redeemed',
      },
    ]);
    assert.doesNotMatch(JSON.stringify(log.lines), /secret2026/i);
  });
});

describe('with an Idempotency-Key', () => {
  const keyed = (key: string) => ({ 'Idempotency-Key': key });

  it('a repeat gets the first response, byte for byte, and another code is 422', async () => {
    const [guest, code, key] = [await people.guest(0), await newCode(people), randomUUID()];
    const first = await redeem(people, guest, code, keyed(key));
    assert.equal(first.headers.get('X-Idempotent-Replay'), null);
    await people.generate(guest.token);
    const again = await redeem(people, guest, code.toLowerCase(), keyed(key.toUpperCase()));
    assert.deepEqual([again.status, again.body], [200, ok(5, 5)]);
    assert.equal(again.headers.get('X-Idempotent-Replay'), 'true');
    const other = await redeem(people, guest, await newCode(people), keyed(key));
    assert.deepEqual([other.status, other.body.error.code], [422, 'ERR_4009']);
    assert.equal((await redeem(people, guest, code, keyed('no uuid'))).status, 400);
  });

  it('neither a refusal nor a repeat that adds nothing uses the key up', async () => {
    const [guest, key] = [await people.guest(0), randomUUID()];
    const used = await newCode(people);
    await redeem(people, guest, used);
    assert.equal((await redeem(people, guest, wrongCode(), keyed(key))).status, 400);
    assert.deepEqual((await redeem(people, guest, used, keyed(key))).body, ok(0, 5));
    assert.deepEqual((await redeem(people, guest, await newCode(people), keyed(key))).body, ok(5, 10));
  });
});

describe('an account that is merged or deleted', () => {
  it('has used what its guest has used: the code adds nothing again', async () => {
    const [sub, code] = [newSub(), await newCode(people)];
    const [survivor, guest] = [await people.appleUser(sub, 1), await people.guest(0)];
    assert.deepEqual((await redeem(people, guest, code)).body, ok(5, 5));
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    for (const one of [survivor, guest]) assert.deepEqual((await redeem(people, one, code)).body, ok(0, 6));
    assert.deepEqual(await usesOf(people, code), { uses: 1, users: [survivor.id] });
  });

  it('keeps both credits where both had used the code before, and has used it once from then on', async () => {
    const [sub, code] = [newSub(), await newCode(people)];
    const [survivor, guest] = [await people.appleUser(sub, 0), await people.guest(0)];
    for (const one of [survivor, guest]) assert.deepEqual((await redeem(people, one, code)).body, ok(5, 5));
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.deepEqual((await redeem(people, guest, code)).body, ok(0, 10));
    assert.deepEqual(await usesOf(people, code), { uses: 2, users: [survivor.id] });
  });

  it('redeems nothing once it is deleted, also if the call was on its way', async () => {
    const [guest, code] = [await people.guest(0), await newCode(people)];
    assert.equal((await people.call(guest.token, 'delete-account', {})).status, 200);
    assert.equal((await redeem(people, guest, code)).status, 401);
    const late = redeemCode(app.ctx, { userId: guest.id, code, ip: '203.0.113.9', idempotencyKey: null });
    await assert.rejects(late, { code: 'ERR_4005' });
    assert.deepEqual(await usesOf(people, code), { uses: 0, users: [] });
  });
});
