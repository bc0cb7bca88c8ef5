import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Bits, DeviceCheck, DeviceCheckAnswer, SetBitsOutcome } from '../../../src/apple/device-check.ts';
import { onboardDevice } from '../../../src/features/accounts/onboard.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

/** What becomes of the next update: answered or not, applied or not, or the server dies on it. */
type UpdateFate = 'done' | 'failed' | 'lost' | 'lost but applied' | 'dies before' | 'dies after';

/** Apple with a memory: physical devices by the token's text, each with its two bits. */
class Apple implements DeviceCheck {
  readonly bits = new Map<string, Bits>();
  answers: DeviceCheckAnswer[] = [];
  fates: UpdateFate[] = [];
  concurrent = 0;
  concurrentMost = 0;

  async query(token: string): Promise<DeviceCheckAnswer> {
    const scripted = this.answers.shift();
    if (scripted) return scripted;
    this.concurrent += 1;
    this.concurrentMost = Math.max(this.concurrentMost, this.concurrent);
    await new Promise((resolve) => setImmediate(resolve));
    this.concurrent -= 1;
    return { state: 'known', ...(this.bits.get(token) ?? { bit0: false, bit1: false }) };
  }

  async setBits(token: string, bits: Bits): Promise<SetBitsOutcome> {
    const fate = this.fates.shift() ?? 'done';
    if (fate === 'dies before') throw new Error('killed');
    if (fate === 'failed') return { outcome: 'failed', cause: 'a test' };
    if (fate === 'lost') return { outcome: 'unknown', cause: 'a test' };
    this.bits.set(token, bits);
    if (fate === 'dies after') throw new Error('killed');
    return fate === 'lost but applied' ? { outcome: 'unknown', cause: 'a test' } : 'done';
  }
}

describe('the one grant of a physical device', () => {
  let app: TestApp;
  let apple: Apple;
  const holder: { current: DeviceCheck } = { current: new Apple() };

  before(async () => {
    const deviceCheck: DeviceCheck = {
      query: (token) => holder.current.query(token),
      setBits: (token, bits) => holder.current.setBits(token, bits),
    };
    app = await createTestApp({ overrides: { deviceCheck } });
  });
  beforeEach(() => {
    apple = new Apple();
    holder.current = apple;
  });
  after(() => app[Symbol.asyncDispose]());

  const newId = () => `installation-${randomUUID()}`;
  const onboard = (deviceId: string, deviceToken: string | null) =>
    onboardDevice(app.ctx, { deviceId, deviceToken, language: 'en' });
  const refusal = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;
  const granted = async () => {
    const { rows } = await app.owner.query(`select count(*)::int as n from quota_log where reason = 'initial_grant'`);
    return rows[0].n as number;
  };

  it('is given at the first call, kept at the next, and gone for another installation', async () => {
    const phone = newId();
    const id = newId();
    const first = await onboard(id, phone);
    assert.deepEqual([first.isNew, first.creditsRemaining], [true, 10]);
    const again = await onboard(id, phone);
    assert.deepEqual([again.isNew, again.creditsRemaining, again.userId], [false, 10, first.userId]);
    const reinstalled = await onboard(newId(), phone);
    assert.deepEqual([reinstalled.isNew, reinstalled.creditsRemaining], [true, 0]);
  });

  it('is given once when 20 installations of one phone race, and Apple is asked one at a time', async () => {
    const phone = newId();
    const before = await granted();
    const all = await Promise.all(Array.from({ length: 20 }, () => onboard(newId(), phone)));
    assert.deepEqual(
      all.map(({ creditsRemaining }) => creditsRemaining).sort((a, b) => b - a),
      [10, ...Array(19).fill(0)],
    );
    assert.equal(await granted(), before + 1);
    assert.equal(apple.concurrentMost, 1);
  });

  it('is given once when one installation calls many times at once', async () => {
    const [phone, id] = [newId(), newId()];
    const all = await Promise.all(Array.from({ length: 8 }, () => onboard(id, phone)));
    assert.equal(new Set(all.map(({ userId }) => userId)).size, 1);
    assert.equal(await app.balance(all[0]?.userId ?? ''), 10);
  });

  for (const fate of ['dies after', 'lost but applied'] as const) {
    it(`is not lost when the update ${fate}: the next call gives it`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.fates = [fate];
      await onboard(id, phone).catch(() => {});
      const next = await onboard(id, phone);
      assert.deepEqual([next.isNew, next.creditsRemaining], [false, 10]);
      assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    });
  }

  for (const fate of ['dies before', 'lost', 'failed'] as const) {
    it(`is still there when the update ${fate}: the next call takes it`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.fates = [fate];
      await onboard(id, phone).catch(() => {});
      assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    });
    it(`is not given twice when the update ${fate} and another installation takes it meanwhile`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.fates = [fate];
      await onboard(id, phone).catch(() => {});
      assert.equal((await onboard(newId(), phone)).creditsRemaining, 10);
      assert.equal((await onboard(id, phone)).creditsRemaining, 0);
      assert.equal((await onboard(id, phone)).creditsRemaining, 0);
    });
  }

  it('of one phone does not depend on what hangs in the air for others', async () => {
    const lost = Array.from({ length: 4 }, () => ({ phone: newId(), id: newId() }));
    for (const { phone, id } of lost) {
      apple.fates = ['lost'];
      await onboard(id, phone);
    }
    const before = await granted();
    assert.equal((await onboard(newId(), newId())).creditsRemaining, 10);
    for (const { phone, id } of lost) assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    assert.equal(await granted(), before + 5);
  });

  it('waits for a verified call when Apple cannot be asked at the first', async () => {
    const [phone, id] = [newId(), newId()];
    apple.answers = [{ state: 'unavailable', cause: 'a test' }];
    const first = await onboard(id, phone);
    assert.deepEqual([first.isNew, first.creditsRemaining], [true, 0]);
    apple.answers = [{ state: 'unavailable', cause: 'a test' }];
    await assert.rejects(onboard(id, phone), refusal('ERR_6004'));
    await assert.rejects(onboard(id, null), refusal('ERR_6004'));
    const next = await onboard(id, phone);
    assert.deepEqual([next.userId, next.creditsRemaining], [first.userId, 10]);
  });

  it('leaves nothing behind for a token that Apple refuses', async () => {
    const id = newId();
    apple.answers = [{ state: 'bad_token' }];
    await assert.rejects(onboard(id, 'x'), refusal('ERR_4010'));
    const { rows } = await app.owner.query('select 1 from users where device_id = $1', [id]);
    assert.deepEqual(rows, []);
  });

  it('never opens an account that has signed in with Apple: the device begins anew, without a second grant', async () => {
    const [phone, id] = [newId(), newId()];
    const mine = await onboard(id, phone);
    await app.owner.query('update users set apple_sub = $2, is_guest = false where id = $1', [mine.userId, newId()]);
    const guest = await onboard(id, phone);
    assert.notEqual(guest.userId, mine.userId);
    assert.deepEqual([guest.isNew, guest.creditsRemaining], [true, 0]);
    assert.equal(await app.balance(mine.userId), 10);
  });

  it('is not repeated for a deleted account that comes back', async () => {
    const [phone, id] = [newId(), newId()];
    const gone = await onboard(id, phone);
    await app.owner.query('update users set deleted_at = now() where id = $1', [gone.userId]);
    const back = await onboard(id, phone);
    assert.notEqual(back.userId, gone.userId);
    assert.equal(back.creditsRemaining, 0);
  });

  it('lets nobody in whose account is banned', async () => {
    const [phone, id] = [newId(), newId()];
    const { userId } = await onboard(id, phone);
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'a test')`, [userId]);
    await assert.rejects(onboard(id, phone), refusal('ERR_4013'));
  });
});
