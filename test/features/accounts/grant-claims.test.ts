/** Claims to a grant that were opened and not finished: who finishes them, whatever Apple and the servers do meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bits, DeviceCheck, SetBitsOutcome } from '../../../src/apple/device-check.ts';
import { createLease, type Lease } from '../../../src/db/lease.ts';
import { onboardDevice } from '../../../src/features/accounts/onboard.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { cutSessions } from '../../support/outage.ts';

/** What happens to an update: is it applied, is it answered, or is the server killed before or after it. */
const UPDATES = [
  'done',
  'fails',
  'has no answer',
  'is applied without an answer',
  'killed before',
  'killed after',
] as const;
type Update = (typeof UPDATES)[number];

class Apple implements DeviceCheck {
  readonly bits = new Map<string, Bits>();
  /** The next updates; all later ones are `usually`. */
  script: Update[] = [];
  usually: Update = 'done';
  beforeUpdate: () => Promise<void> = async () => {};

  async query(token: string) {
    return { state: 'known' as const, ...(this.bits.get(token) ?? { bit0: false, bit1: false }) };
  }

  async setBits(token: string, bits: Bits): Promise<SetBitsOutcome> {
    await this.beforeUpdate();
    const update = this.script.shift() ?? this.usually;
    if (update === 'killed before') throw new Error('killed');
    if (update === 'fails') return { outcome: 'failed', cause: 'a test' };
    if (update !== 'has no answer') this.bits.set(token, bits);
    if (update === 'killed after') throw new Error('killed');
    return update === 'done' ? 'done' : { outcome: 'unknown', cause: 'a test' };
  }
}

describe('a claim that was opened and not finished', () => {
  let app: TestApp;
  let apple = new Apple();
  before(async () => {
    const deviceCheck: DeviceCheck = {
      query: (token) => apple.query(token),
      setBits: (token, bits) => apple.setBits(token, bits),
    };
    // The calls of these tests do not overlap: a connection for each lease would only take time.
    const deviceGrantLease: Lease = { run: (work) => work({ call: app.ctx.db.call }) };
    app = await createTestApp({ overrides: { deviceCheck, deviceGrantLease } });
  });
  beforeEach(() => {
    apple = new Apple();
  });
  after(() => app[Symbol.asyncDispose]());

  const newId = () => `installation-${randomUUID()}`;
  const onboard = (deviceId: string, deviceToken: string) =>
    onboardDevice(app.ctx, { deviceId, deviceToken, language: 'en' });
  /** Null: no answer came, because the server was killed, or the device was refused. */
  const tryOnboard = (deviceId: string, deviceToken: string) => onboard(deviceId, deviceToken).catch(() => null);
  const creditsOf = async (ids: string[]): Promise<number> => {
    const sql = 'select coalesce(sum(credits_remaining), 0)::int as n from users where device_id = any($1)';
    return (await app.owner.query(sql, [ids])).rows[0].n;
  };

  for (const outage of ['fails', 'has no answer', 'is applied without an answer'] as const) {
    it(`brings nothing while every update ${outage}, whichever devices finish it`, async () => {
      const [granted, alsoGranted, ids] = [newId(), newId(), Array.from({ length: 5 }, newId)];
      await onboard(newId(), granted);
      await onboard(newId(), alsoGranted);
      apple.usually = outage;
      for (const id of ids) {
        await tryOnboard(id, newId());
        await tryOnboard(id, granted);
        await tryOnboard(id, alsoGranted);
      }
      assert.equal(await creditsOf(ids), 0);
      apple.usually = 'done';
      for (const id of ids) for (const device of [granted, alsoGranted]) await tryOnboard(id, device);
      assert.equal(await creditsOf(ids), 0, 'both have had their grant');
    });
  }

  it('is not finished by a device that has had its grant, and still is by the device that it was opened for', async () => {
    for (const update of ['has no answer', 'is applied without an answer', 'killed after'] as const) {
      const [granted, device, id] = [newId(), newId(), newId()];
      await onboard(newId(), granted);
      apple.script = [update];
      await tryOnboard(id, device);
      await tryOnboard(id, granted);
      assert.equal(await creditsOf([id]), 0, update);
      await onboard(id, device);
      assert.equal(await creditsOf([id]), 10, update);
    }
  });

  it('is finished by a further update that Apple has confirmed, and by no other', async () => {
    for (const update of UPDATES) {
      const [device, id] = [newId(), newId()];
      apple.script = ['is applied without an answer', update];
      await tryOnboard(id, device);
      assert.equal(await creditsOf([id]), 0);
      await tryOnboard(id, device);
      assert.equal(await creditsOf([id]), update === 'done' ? 10 : 0, update);
    }
  });

  it('outlasts any number of calls in which updates are applied and not answered', async () => {
    const [device, id] = [newId(), newId()];
    apple.usually = 'is applied without an answer';
    for (let calls = 0; calls < 4; calls += 1) await tryOnboard(id, device);
    assert.equal(await creditsOf([id]), 0);
    apple.usually = 'done';
    await onboard(id, device);
    assert.equal(await creditsOf([id]), 10);
    assert.deepEqual(apple.bits.get(device), { bit0: true, bit1: false });
  });

  it('brings nothing once its last update may have been applied: it is not known who has had these credits', async () => {
    for (const update of ['is applied without an answer', 'killed after'] as const) {
      const [device, id] = [newId(), newId()];
      apple.script = ['done', update];
      await tryOnboard(id, device);
      await tryOnboard(id, device);
      await tryOnboard(newId(), device);
      assert.equal(await creditsOf([id]), 0, update);
    }
  });

  it('is not finished on a lease that is lost: another server may hold it', async () => {
    const [device, id, other] = [newId(), newId(), newId()];
    apple.script = ['is applied without an answer'];
    await tryOnboard(other, device);
    const server = () => {
      const lease = createLease({ url: app.url, name: 'device grants', waitMs: 10_000, log: silentLog });
      const ctx = { ...app.ctx, deviceGrantLease: lease };
      return (deviceId: string) => onboardDevice(ctx, { deviceId, deviceToken: device, language: 'en' });
    };
    apple.beforeUpdate = async () => {
      apple.beforeUpdate = async () => {};
      await cutSessions(app.owner, 'rendio-lease');
      await server()(other);
    };
    await app.owner.query(`insert into users (device_id) values ($1)`, [id]);
    await app.owner.query(
      `insert into device_grants (user_id, state) select id, 'claiming' from users where device_id = $1`,
      [id],
    );
    await assert.rejects(server()(id));
    assert.deepEqual([await creditsOf([other]), await creditsOf([id])], [10, 0]);
  });

  it('never lets a device have a second grant, nor an account, in any order of calls, faults and crashes', async () => {
    const call = fc.record({
      id: fc.nat(2),
      device: fc.nat(2),
      updates: fc.array(fc.constantFrom(...UPDATES), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 3, maxLength: 8 }), async (calls) => {
        apple = new Apple();
        const [ids, devices] = [
          [newId(), newId(), newId()],
          [newId(), newId(), newId()],
        ];
        const grantsOf = new Map<string, number>();
        const run = async (id = '', device = '') => {
          const before = await creditsOf(ids);
          await tryOnboard(id, device);
          apple.script = [];
          grantsOf.set(device, (grantsOf.get(device) ?? 0) + (await creditsOf(ids)) - before);
        };
        for (const { id, device, updates } of calls) {
          apple.script = [...updates];
          await run(ids[id], devices[device]);
        }
        for (const device of devices) for (const id of ids) await run(id, device);
        for (const [, credits] of grantsOf) assert.ok(credits <= 10, JSON.stringify([...grantsOf.values()]));
        // Whatever happened to the others: a device that was never touched has its grant.
        ids.push(newId());
        await run(ids.at(-1), newId());
        assert.equal(await creditsOf(ids.slice(-1)), 10);
        assert.deepEqual((await app.owner.query('select * from broken_invariants()')).rows, []);
      }),
      { numRuns: 15 },
    );
  });
});

describe('a device id', () => {
  let app: TestApp;
  let apple = new Apple();
  before(async () => {
    const deviceCheck: DeviceCheck = {
      query: (token) => apple.query(token),
      setBits: (token, bits) => apple.setBits(token, bits),
    };
    app = await createTestApp({ overrides: { deviceCheck } });
  });
  beforeEach(() => {
    apple = new Apple();
  });
  after(() => app[Symbol.asyncDispose]());

  const newId = () => `installation-${randomUUID()}`;
  const onboard = (deviceId: string, deviceToken: string, ctx = app.ctx) =>
    onboardDevice(ctx, { deviceId, deviceToken, language: 'en' });
  const isProblem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;
  const sessions = async (): Promise<number> =>
    (await app.owner.query('select count(*)::int as n from sessions')).rows[0].n;

  it('does not open an account whose grant was claimed to a device that has had none', async () => {
    const [id, device, stranger] = [newId(), newId(), newId()];
    await onboard(id, device);
    const before = await sessions();
    const withoutGrants = { ...app.ctx, policy: { ...app.ctx.policy, initialGrantCredits: 0 } };
    for (const ctx of [app.ctx, withoutGrants]) await assert.rejects(onboard(id, stranger, ctx), isProblem('ERR_4010'));
    assert.deepEqual([await sessions(), apple.bits.has(stranger)], [before, false], 'nothing was opened or updated');
    assert.equal((await onboard(id, device)).creditsRemaining, 10);
    assert.equal((await onboard(newId(), stranger)).creditsRemaining, 10, 'the other device has its own grant');
  });

  it('does not open it either when the account was granted while the call waited for its turn', async () => {
    const [id, device, stranger] = [newId(), newId(), newId()];
    const [first, second] = await Promise.allSettled([onboard(id, device), onboard(id, stranger)]);
    const opened = [first, second].filter(({ status }) => status === 'fulfilled');
    assert.equal(opened.length, 1);
    const refused = [first, second].find((each) => each.status === 'rejected');
    assert.ok(refused && isProblem('ERR_4010')(refused.reason));
  });

  const changes: [string, string][] = [
    ['signs in with Apple', 'update users set apple_sub = device_id, is_guest = false where device_id = $1'],
    ['is deleted', 'update users set deleted_at = now() where device_id = $1'],
    ['is banned', `insert into user_bans (user_id, reason) select id, 'a test' from users where device_id = $1`],
    ['loses the device', `update users set device_id = null, began_anonymous = true where device_id = $1`],
  ];
  for (const [what, sql] of changes) {
    it(`opens no session of an account that ${what} while Apple is asked`, async () => {
      const [id, device] = [newId(), newId()];
      const before = await sessions();
      apple.beforeUpdate = async () => {
        apple.beforeUpdate = async () => {};
        await app.owner.query(sql, [id]);
      };
      await assert.rejects(onboard(id, device), isProblem('ERR_5006'));
      assert.equal(await sessions(), before);
    });
  }
});
