import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exportPKCS8, generateKeyPair } from 'jose';
import {
  type Bits,
  createDeviceCheck,
  type DeviceCheck,
  type DeviceCheckAnswer,
  type SetBitsOutcome,
} from '../../../src/apple/device-check.ts';
import { onboardDevice } from '../../../src/features/accounts/onboard.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { recordingLog } from '../../http/harness.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

/** What happens to the next update: whether it is applied, whether it is answered, or that the server is killed. */
type UpdateOutcome =
  | 'done'
  | 'fails'
  | 'has no answer'
  | 'is applied without an answer'
  | 'is killed before'
  | 'is killed after';

/** A fake DeviceCheck: physical devices by the token's text, each with its two bits. */
class Apple implements DeviceCheck {
  readonly bits = new Map<string, Bits>();
  answers: DeviceCheckAnswer[] = [];
  outcomes: UpdateOutcome[] = [];
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
    const next = this.outcomes.shift() ?? 'done';
    if (next === 'is killed before') throw new Error('killed');
    if (next === 'fails') return { outcome: 'failed', cause: 'a test' };
    if (next === 'has no answer') return { outcome: 'unknown', cause: 'a test' };
    this.bits.set(token, bits);
    if (next === 'is killed after') throw new Error('killed');
    return next === 'is applied without an answer' ? { outcome: 'unknown', cause: 'a test' } : 'done';
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
  const problemWith = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;
  const initialGrants = async () => {
    const { rows } = await app.owner.query(`select count(*)::int as n from quota_log where reason = 'initial_grant'`);
    return rows[0].n as number;
  };

  it('is granted at the first call, kept at the next, and not granted to another installation', async () => {
    const phone = newId();
    const id = newId();
    const first = await onboard(id, phone);
    assert.deepEqual([first.isNew, first.creditsRemaining], [true, 10]);
    const again = await onboard(id, phone);
    assert.deepEqual([again.isNew, again.creditsRemaining, again.userId], [false, 10, first.userId]);
    const reinstalled = await onboard(newId(), phone);
    assert.deepEqual([reinstalled.isNew, reinstalled.creditsRemaining], [true, 0]);
  });

  it('is granted once when 20 installations on one phone call at once, with one DeviceCheck query at a time', async () => {
    const phone = newId();
    const before = await initialGrants();
    const all = await Promise.all(Array.from({ length: 20 }, () => onboard(newId(), phone)));
    assert.deepEqual(
      all.map(({ creditsRemaining }) => creditsRemaining).sort((a, b) => b - a),
      [10, ...Array(19).fill(0)],
    );
    assert.equal(await initialGrants(), before + 1);
    assert.equal(apple.concurrentMost, 1);
  });

  it('is granted once when one installation calls many times at once', async () => {
    const [phone, id] = [newId(), newId()];
    const all = await Promise.all(Array.from({ length: 8 }, () => onboard(id, phone)));
    assert.equal(new Set(all.map(({ userId }) => userId)).size, 1);
    assert.equal(await app.balance(all[0]?.userId ?? ''), 10);
  });

  for (const outcome of ['is killed after', 'is applied without an answer'] as const) {
    it(`is not lost when the update ${outcome}: the next call grants it`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.outcomes = [outcome];
      await onboard(id, phone).catch(() => {});
      const next = await onboard(id, phone);
      assert.deepEqual([next.isNew, next.creditsRemaining], [false, 10]);
      assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    });
  }

  for (const outcome of ['is killed before', 'has no answer', 'fails'] as const) {
    it(`is still available when the update ${outcome}: the next call grants it`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.outcomes = [outcome];
      await onboard(id, phone).catch(() => {});
      assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    });
    it(`is not granted twice when the update ${outcome} and another installation gets it meanwhile`, async () => {
      const [phone, id] = [newId(), newId()];
      apple.outcomes = [outcome];
      await onboard(id, phone).catch(() => {});
      assert.equal((await onboard(newId(), phone)).creditsRemaining, 10);
      assert.equal((await onboard(id, phone)).creditsRemaining, 0);
      assert.equal((await onboard(id, phone)).creditsRemaining, 0);
    });
  }

  it('of one phone does not depend on unanswered updates of others', async () => {
    const unanswered = Array.from({ length: 4 }, () => ({ phone: newId(), id: newId() }));
    for (const { phone, id } of unanswered) {
      apple.outcomes = ['has no answer'];
      await onboard(id, phone);
    }
    const before = await initialGrants();
    assert.equal((await onboard(newId(), newId())).creditsRemaining, 10);
    for (const { phone, id } of unanswered) assert.equal((await onboard(id, phone)).creditsRemaining, 10);
    assert.equal(await initialGrants(), before + 5);
  });

  it('waits for a verified call when Apple is unavailable at the first call', async () => {
    const [phone, id] = [newId(), newId()];
    apple.answers = [{ state: 'unavailable', cause: 'a test' }];
    const first = await onboard(id, phone);
    assert.deepEqual([first.isNew, first.creditsRemaining], [true, 0]);
    apple.answers = [{ state: 'unavailable', cause: 'a test' }];
    await assert.rejects(onboard(id, phone), problemWith('ERR_5006'));
    await assert.rejects(onboard(id, null), problemWith('ERR_5006'));
    const next = await onboard(id, phone);
    assert.deepEqual([next.userId, next.creditsRemaining], [first.userId, 10]);
  });

  it('creates no account for a token that Apple rejects', async () => {
    const id = newId();
    apple.answers = [{ state: 'bad_token' }];
    await assert.rejects(onboard(id, 'x'), problemWith('ERR_4010'));
    const { rows } = await app.owner.query('select 1 from users where device_id = $1', [id]);
    assert.deepEqual(rows, []);
  });

  it('never opens an account that has signed in with Apple: the device gets a new account, without a second grant', async () => {
    const [phone, id] = [newId(), newId()];
    const signedIn = await onboard(id, phone);
    await app.owner.query('update users set apple_sub = $2, is_guest = false where id = $1', [
      signedIn.userId,
      newId(),
    ]);
    const guest = await onboard(id, phone);
    assert.notEqual(guest.userId, signedIn.userId);
    assert.deepEqual([guest.isNew, guest.creditsRemaining], [true, 0]);
    assert.equal(await app.balance(signedIn.userId), 10);
  });

  it('is not repeated for the device of a deleted account', async () => {
    const [phone, id] = [newId(), newId()];
    const deleted = await onboard(id, phone);
    await app.owner.query('update users set deleted_at = now() where id = $1', [deleted.userId]);
    const next = await onboard(id, phone);
    assert.notEqual(next.userId, deleted.userId);
    assert.equal(next.creditsRemaining, 0);
  });

  it('does not open a banned account', async () => {
    const [phone, id] = [newId(), newId()];
    const { userId } = await onboard(id, phone);
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'a test')`, [userId]);
    await assert.rejects(onboard(id, phone), problemWith('ERR_4013'));
  });
});

describe('what Apple answers decides whose fault it is', () => {
  let app: TestApp;
  let reply: () => Response = () => assert.fail('no reply was set');
  const log = recordingLog();
  const known = `installation-${randomUUID()}`;

  before(async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const deviceCheck = createDeviceCheck({
      ...{ teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey: await exportPKCS8(privateKey) },
      ...{ baseUrl: 'https://apple.example', fetch: async () => reply(), clock: systemClock, log },
    });
    app = await createTestApp({ overrides: { deviceCheck } });
    await app.ctx.db.call('onboard_device', { device_id: known });
  });
  beforeEach(() => {
    log.lines.length = 0;
  });
  after(() => app[Symbol.asyncDispose]());

  const call = async (deviceId: string, fallback: 'no_grant' | 'deny' = 'no_grant') => {
    const ctx = { ...app.ctx, policy: { ...app.ctx.policy, deviceCheckFallback: fallback } };
    const input = { deviceId, deviceToken: 'ZGV2aWNl', language: 'en' as const };
    return onboardDevice(ctx, input).catch((error) =>
      error instanceof Problem ? `${error.status} ${error.code}` : assert.fail(String(error)),
    );
  };
  const levels = () => log.lines.splice(0).map(({ level }) => level);
  const accounts = async () => (await app.owner.query('select count(*)::int as n from users')).rows[0].n;

  const ours: [number, string][] = [
    [400, 'Invalid or missing timestamp'],
    [400, 'Invalid or missing transaction id'],
    [400, 'Missing or badly formatted authorization token'],
    [401, 'Unable to verify authorization token'],
    [401, 'Invalid Authorization Token'],
  ];
  for (const [status, text] of ours) {
    it(`"${text}" is a fault of our clock, request or key: 503 and an error in the log, never a bad device`, async () => {
      reply = () => new Response(text, { status });
      assert.equal(await call(known), '503 ERR_5006');
      assert.equal(await call(`installation-${randomUUID()}`, 'deny'), '503 ERR_5006');
      assert.deepEqual(levels(), ['error', 'error']);
      const isNew = await call(`installation-${randomUUID()}`);
      assert.ok(typeof isNew === 'object' && isNew.creditsRemaining === 0, 'as while Apple is down');
    });
  }

  for (const text of ['Bad Device Token', 'Missing or incorrectly formatted device token payload']) {
    it(`"${text}" is a bad device: 403, and nothing is created`, async () => {
      reply = () => new Response(text, { status: 400 });
      const before = await accounts();
      assert.equal(await call(known), '403 ERR_4010');
      assert.equal(await call(`installation-${randomUUID()}`), '403 ERR_4010');
      assert.deepEqual([levels(), await accounts()], [[], before]);
    });
  }

  for (const status of [429, 500, 503]) {
    it(`a ${status} is Apple’s own trouble: 503, and a warning in the log`, async () => {
      reply = () => new Response('', { status, headers: { 'retry-after': '60' } });
      assert.equal(await call(known), '503 ERR_5006');
      assert.deepEqual(levels(), ['warn']);
    });
  }
});
