/** Codes that many redeem at once. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { until } from '../../media/until.ts';
import { waitingForLocks } from '../../support/locks.ts';
import { createPeople, newSub } from '../../support/people.ts';
import { newCode, outcomesOf, redeem, usesOf } from './codes.ts';

const people = await createPeople();
const { app } = people;
after(async () => {
  await people.assertUnbroken();
  await people[Symbol.asyncDispose]();
});

const times = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => make(n)));

describe('a code that is redeemed at once', () => {
  it('by 20 accounts is used as often as it may be, and the others get the 400', async () => {
    const code = await newCode(people, { usesMax: 5 });
    const guests = await times(20, () => people.guest(0));
    const answers = await Promise.all(guests.map((guest) => redeem(people, guest, code)));
    assert.deepEqual(outcomesOf(answers), [...Array(5).fill('200 5'), ...Array(15).fill('400 ERR_4018')]);
    const { uses, users } = await usesOf(people, code);
    assert.deepEqual([uses, new Set(users).size], [5, 5]);
  });

  it('ten times by one account adds its credits once', async () => {
    const [guest, code] = [await people.guest(0), await newCode(people)];
    const answers = await times(10, () => redeem(people, guest, code));
    assert.deepEqual(outcomesOf(answers), [...Array(9).fill('200 0'), '200 5']);
    assert.equal(await app.balance(guest.id), 5);
    assert.equal((await usesOf(people, code)).uses, 1);
  });

  it('ten times with one key gives ten times the same answer', async () => {
    const [guest, code, key] = [await people.guest(0), await newCode(people), randomUUID()];
    const answers = await times(10, () => redeem(people, guest, code, { 'Idempotency-Key': key }));
    assert.deepEqual(outcomesOf(answers), Array(10).fill('200 5'));
    assert.equal(answers.filter(({ headers }) => headers.get('X-Idempotent-Replay') === 'true').length, 9);
    assert.equal(await app.balance(guest.id), 5);
  });

  it('by many accounts, several codes each in every order, ends without a deadlock', async () => {
    const codes = await times(4, () => newCode(people, { usesMax: 3 }));
    const guests = await times(6, () => people.guest(0));
    const answers = await Promise.all(
      guests.flatMap((guest, n) => (n % 2 ? codes : codes.toReversed()).map((code) => redeem(people, guest, code))),
    );
    assert.deepEqual(outcomesOf(answers), [...Array(12).fill('200 5'), ...Array(12).fill('400 ERR_4018')]);
  });
});

describe('a call that waits for the code', () => {
  for (const [what, change] of [
    ['expires', 'update codes set expires_at = clock_timestamp() where code = $1'],
    ['is used up', 'update codes set uses = uses_max where code = $1'],
  ] as const) {
    it(`which ${what} meanwhile gets the 400`, async () => {
      const [guest, code] = [await people.guest(0), await newCode(people)];
      const holder = await app.owner.connect();
      try {
        await holder.query('begin');
        await holder.query('select from codes where code = $1 for update', [code]);
        const call = redeem(people, guest, code);
        await until(async () => (await waitingForLocks(app)) > 0);
        // After the call has begun, and before it has the code.
        await holder.query(change, [code]);
        await holder.query('commit');
        assert.deepEqual(outcomesOf([await call]), ['400 ERR_4018']);
      } finally {
        holder.release(true);
      }
      assert.equal(await app.balance(guest.id), 0);
    });
  }
});

describe('a merge beside redemptions of both accounts', () => {
  it('doubles and loses nothing, and the survivor has used the code', async () => {
    const code = await newCode(people, { usesMax: 100 });
    for (let round = 0; round < 8; round += 1) {
      const sub = newSub();
      const [survivor, guest] = [await people.appleUser(sub, 0), await people.guest(0)];
      const before = (await usesOf(people, code)).uses;
      const calls = [
        () => people.merge(guest.token, { sub }),
        () => redeem(people, guest, code),
        () => redeem(people, survivor, code),
        () => redeem(people, guest, code),
      ];
      const answers = await Promise.all(
        [...calls.slice(round % 4), ...calls.slice(0, round % 4)].map((call) => call()),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      const added = answers.reduce((sum, { body }) => sum + (body.credits_added ?? 0), 0);
      assert.equal(await app.balance(survivor.id), added);
      const { uses, users } = await usesOf(people, code);
      assert.equal((uses - before) * 5, added);
      assert.equal(users.filter((id) => id === survivor.id).length, 1);
      assert.ok(!users.includes(guest.id));
    }
  });
});
