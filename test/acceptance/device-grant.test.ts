/** The initial grant: once per physical device, whatever Apple's servers do. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import type { Onboarded } from './support/answers.ts';
import { expectStatus } from './support/api.ts';
import { type Apple, BAD_TOKEN, type Fault, startApple } from './support/apple.ts';
import { asGuest, deviceCheck } from './support/guest.ts';
import * as phone from './support/phone.ts';
import { refresh } from './support/refresh.ts';
import { assertRefused } from './support/refusal.ts';
import { OWN_SERVER, useServer } from './support/target.ts';

describe('device-check with a simulated Apple', OWN_SERVER, () => {
  let apple: Apple;
  const server = useServer(async () => {
    apple = await startApple();
    return { ...apple.env, WORKER: 'off' };
  });
  const denying = useServer(async () => ({ ...apple.env, WORKER: 'off', DEVICECHECK_FALLBACK: 'deny' }));
  after(async () => {
    await apple.close();
    assert.deepEqual(apple.violations, [], 'no request that Apple would not accept');
  });

  const newId = () => randomUUID();
  const checkDevice = (id: string, device: string | null, base = server.url) => phone.checkDevice(base, id, device);
  const onboard = (id: string, device: string | null) => phone.onboard(server.url, id, device);
  const grantsOf = (onboarded: Onboarded) => phone.grantsOf(server.url, onboarded);
  const isGranted = async (onboarded: Onboarded) =>
    (await asGuest(server.url, onboarded).profile()).initial_grant_claimed;

  describe('while Apple answers', () => {
    test('grants once per physical device: another installation on it gets an account without credits', async () => {
      const [device, first, second] = [newId(), newId(), newId()];
      const granted = await onboard(first, device);
      assert.deepEqual([granted.credits_remaining, granted.is_new, await isGranted(granted)], [10, true, true]);
      assert.deepEqual(apple.bitsOf(device)?.bit0, true);
      const other = await onboard(second, device);
      assert.deepEqual([other.credits_remaining, other.is_new, await isGranted(other)], [0, true, false]);
      assert.notEqual(other.user_id, granted.user_id);
      for (const id of [first, second, first, second]) {
        const again = await onboard(id, device);
        const known = id === first ? granted : other;
        assert.deepEqual(
          [again.user_id, again.is_new, again.credits_remaining],
          [known.user_id, false, known.credits_remaining],
        );
      }
      assert.deepEqual([await grantsOf(granted), await grantsOf(other)], [1, 0]);
    });

    test('a known device_id opens no account for another genuine device that was never granted', async () => {
      const [id, device, stranger] = [newId(), newId(), newId()];
      const mine = await onboard(id, device);
      const reply = await checkDevice(id, stranger);
      assertRefused(reply, 403, 'ERR_4010');
      assert.doesNotMatch(reply.text, /token"|user_id|session"/);
      assert.equal(apple.bitsOf(stranger), undefined, 'nothing was set');
      assert.equal((await onboard(id, device)).user_id, mine.user_id);
      assert.equal((await onboard(newId(), stranger)).credits_remaining, 10);
    });

    test('of twenty concurrent first calls of one physical device with twenty device ids exactly one gets the grant', async () => {
      const device = newId();
      const all = await Promise.all(Array.from({ length: 20 }, () => onboard(newId(), device)));
      assert.equal(new Set(all.map(({ user_id }) => user_id)).size, 20);
      const balances = await Promise.all(all.map((onboarded) => asGuest(server.url, onboarded).balance()));
      assert.equal(
        balances.reduce((sum, balance) => sum + balance, 0),
        10,
      );
    });

    test('twenty concurrent first calls of one installation give one account and one grant', async () => {
      const [device, id] = [newId(), newId()];
      const all = await Promise.all(Array.from({ length: 20 }, () => onboard(id, device)));
      assert.equal(new Set(all.map(({ user_id }) => user_id)).size, 1);
      assert.equal(all.filter(({ is_new }) => is_new).length, 1);
      const [one] = all;
      assert.ok(one);
      assert.equal(await asGuest(server.url, one).balance(), 10);
      assert.equal(await grantsOf(one), 1);
    });

    test('twenty different devices at once get a grant each', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => onboard(newId(), newId())));
      assert.deepEqual(new Set(all.map(({ credits_remaining }) => credits_remaining)), new Set([10]));
    });

    test('a device whose bit is set already gets an account without the grant', async () => {
      const device = newId();
      apple.setBits(device, { bit0: true, bit1: false });
      const onboarded = await onboard(newId(), device);
      assert.deepEqual([onboarded.credits_remaining, onboarded.is_new], [0, true]);
      assert.equal(await isGranted(onboarded), false);
    });

    test('a device whose bit is set to false gets the grant', async () => {
      for (const bit1 of [false, true]) {
        const device = newId();
        apple.setBits(device, { bit0: false, bit1 });
        assert.equal((await onboard(newId(), device)).credits_remaining, 10);
        assert.equal(apple.bitsOf(device)?.bit0, true);
      }
    });

    test('a device that Apple does not know, which it answers in plain text, gets the grant', async () => {
      for (const wording of ['Failed to find bit state', 'Bit State Not Found', 'Failed to find bit state\n']) {
        apple.wording = wording;
        assert.equal((await onboard(newId(), newId())).credits_remaining, 10, wording);
      }
      apple.wording = 'Failed to find bit state';
    });

    test('a bad token is 403, creates nothing and gives no tokens, for new and known devices', async () => {
      const [device, id] = [newId(), newId()];
      const refused = async () => {
        const reply = await deviceCheck(server.url, { device_id: id, device_token: BAD_TOKEN });
        assertRefused(reply, 403, 'ERR_4010');
        assert.doesNotMatch(reply.text, /token"|user_id|session"/);
      };
      await refused();
      const first = await onboard(id, device);
      assert.equal(first.is_new, true, 'nothing was created');
      await refused();
      assert.equal((await onboard(id, device)).user_id, first.user_id);
      for (const text of ['Missing or incorrectly formatted device token payload', 'Bad Device Token']) {
        const restore = apple.fail('query_two_bits', { answer: 400, text });
        assertRefused(await checkDevice(newId(), newId()), 403, 'ERR_4010');
        restore();
      }
    });
  });

  const outages: Record<string, Fault | 'refused'> = {
    'answers 500': { answer: 500, text: 'Internal Server Error' },
    'answers 503': { answer: 503, headers: { 'Retry-After': '120' } },
    'answers 429': { answer: 429 },
    'refuses our key': { answer: 401, text: 'Unable to verify authorization token' },
    'refuses our timestamp': { answer: 400, text: 'Invalid or missing timestamp' },
    'answers with an HTML page': { answer: 200, text: '<html><body>captive portal</body></html>' },
    'answers with other JSON': { answer: 200, text: '{"ok":true}' },
    'answers with bits that are no booleans': { answer: 200, text: '{"bit0":"false","bit1":"false"}' },
    redirects: { answer: 302, headers: { Location: 'http://169.254.169.254/' } },
    'cuts the connection': { isApplied: false, ending: 'cut' },
    'accepts no connection': 'refused',
  };
  const startOutage = async (fault: Fault | 'refused'): Promise<() => Promise<void>> => {
    if (fault !== 'refused') {
      const restore = apple.fail('query_two_bits', fault);
      return async () => restore();
    }
    await apple.close();
    return () => apple.open();
  };

  describe('while Apple cannot be queried', () => {
    for (const [what, fault] of Object.entries(outages)) {
      test(`(${what}) a new device gets an account without credits, and the grant at its first verified call`, async () => {
        const [device, id, knownId, knownDevice] = [newId(), newId(), newId(), newId()];
        const known = await onboard(knownId, knownDevice);
        const restore = await startOutage(fault);
        try {
          const [empty, refused, denied] = await Promise.all([
            onboard(id, device),
            checkDevice(knownId, knownDevice),
            checkDevice(id, device, denying.url),
          ]);
          assert.deepEqual([empty.credits_remaining, empty.is_new, await isGranted(empty)], [0, true, false]);
          for (const reply of [refused, denied]) phone.assertNoSession(reply);
          const session = expectStatus(await refresh(server.url, known.refresh_token), 200).body;
          assert.equal(session.user.id, known.user_id, 'a known device keeps its session by its refresh token');
          // The device is known from now on: its id alone gives no tokens.
          if (fault === 'refused') assert.equal((await checkDevice(id, device)).status, 503);
          await restore();
          const granted = await onboard(id, device);
          assert.deepEqual([granted.user_id, granted.is_new, granted.credits_remaining], [empty.user_id, false, 10]);
          assert.equal((await onboard(id, device)).credits_remaining, 10);
          assert.equal((await onboard(newId(), device)).credits_remaining, 0);
        } finally {
          await restore();
        }
      });
    }

    test('a device without DeviceCheck is treated the same: no device token, no credits, no second session', async () => {
      const [device, id] = [newId(), newId()];
      const empty = await onboard(id, null);
      assert.deepEqual([empty.credits_remaining, empty.is_new], [0, true]);
      phone.assertNoSession(await checkDevice(id, null));
      phone.assertNoSession(await deviceCheck(server.url, { device_id: id, device_token: null }));
      expectStatus(await refresh(server.url, empty.refresh_token), 200);
      const granted = await onboard(id, device);
      assert.deepEqual([granted.user_id, granted.credits_remaining], [empty.user_id, 10]);
    });

    test('with the fallback deny a new device that is not verified gets no account, and nothing is created', async () => {
      const [device, id] = [newId(), newId()];
      assert.equal((await checkDevice(id, null, denying.url)).status, 503);
      const restore = apple.fail('query_two_bits', { answer: 500 });
      assert.equal((await checkDevice(id, device, denying.url)).status, 503);
      restore();
      const granted = expectStatus(await checkDevice(id, device, denying.url), 200).body;
      assert.deepEqual([granted.is_new, granted.credits_remaining], [true, 10]);
    });
  });

  describe('while Apple answers queries but not updates', () => {
    const unapplied: Record<string, Fault> = {
      'refused with 401': { answer: 401, text: 'Unable to verify authorization token' },
      'refused with 429': { answer: 429 },
      'answered with 500, not applied': { isApplied: false, ending: 500 },
      'cut, not applied': { isApplied: false, ending: 'cut' },
    };
    for (const [what, fault] of Object.entries(unapplied)) {
      test(`(${what}) the next verified call of the same device gives the credits, once`, async () => {
        const [device, id] = [newId(), newId()];
        const restore = apple.fail('update_two_bits', fault);
        const empty = await onboard(id, device);
        assert.deepEqual([empty.credits_remaining, empty.is_new, await isGranted(empty)], [0, true, false]);
        assert.equal((await onboard(id, device)).credits_remaining, 0);
        restore();
        assert.equal((await onboard(id, device)).credits_remaining, 10);
        assert.equal((await onboard(id, device)).credits_remaining, 10);
        assert.equal(await grantsOf(empty), 1);
        assert.equal((await onboard(newId(), device)).credits_remaining, 0);
      });
    }

    const applied: Record<string, Fault> = {
      'applied, then cut': { isApplied: true, ending: 'cut' },
      'applied, then 500': { isApplied: true, ending: 500 },
    };
    for (const [what, fault] of Object.entries(applied)) {
      test(`(${what}) the next verified call of the same device gives the credits, once`, async () => {
        const [device, id] = [newId(), newId()];
        const restore = apple.fail('update_two_bits', fault);
        const first = await onboard(id, device);
        assert.ok([0, 10].includes(first.credits_remaining));
        assert.equal(apple.bitsOf(device)?.bit0, true, 'Apple has stored the bit');
        restore();
        assert.equal((await onboard(id, device)).credits_remaining, 10, 'and the device has its credits');
        assert.equal((await onboard(id, device)).credits_remaining, 10);
        assert.equal(await grantsOf(first), 1);
        assert.equal((await onboard(newId(), device)).credits_remaining, 0);
      });

      test(`(${what}) another installation of the same device never gets a second grant`, async () => {
        const [device, id, others] = [newId(), newId(), [newId(), newId(), newId()]];
        const restore = apple.fail('update_two_bits', fault);
        const first = await onboard(id, device);
        const inBetween = await Promise.all(others.map((other) => onboard(other, device)));
        restore();
        await Promise.all([...others, id].map((each) => onboard(each, device)));
        await Promise.all([id, ...others, newId()].map((each) => onboard(each, device)));
        const grants = await Promise.all([first, ...inBetween].map(grantsOf));
        assert.ok(grants.reduce((sum, count) => sum + count, 0) <= 1, `grants: ${grants}`);
      });
    }

    for (const [what, fault] of [...Object.entries(unapplied).slice(-1), ...Object.entries(applied).slice(-1)]) {
      test(`(${what}) devices that were granted before finish no claim of another, then or later`, async () => {
        const granted = [newId(), newId()];
        for (const device of granted) await onboard(newId(), device);
        const [fresh, ids] = [newId(), Array.from({ length: 4 }, newId)];
        const restore = apple.fail('update_two_bits', fault);
        const total = async () => {
          const balances = await Promise.all(ids.map(async (id) => (await checkDevice(id, granted[0] ?? '')).body));
          return balances.reduce((sum, { credits_remaining = 0 }) => sum + credits_remaining, 0);
        };
        for (const id of ids) {
          await onboard(id, fresh);
          for (const device of granted) await onboard(id, device);
        }
        assert.equal(await total(), 0, 'while updates fail nobody is granted');
        restore();
        assert.equal(await total(), 0);
        for (const id of ids) await checkDevice(id, fresh);
        assert.ok((await total()) <= 10, 'one more device, at most one more grant');
      });
    }

    test('many devices at a time whose updates are applied and then cut never get a second grant', async () => {
      const phones = Array.from({ length: 8 }, () => ({ id: newId(), device: newId() }));
      const restore = apple.fail('update_two_bits', { isApplied: true, ending: 'cut' });
      for (const { id, device } of phones) await onboard(id, device);
      restore();
      const later = await Promise.all(phones.map(({ id, device }) => onboard(id, device)));
      for (const onboarded of later) assert.ok((await grantsOf(onboarded)) <= 1);
      const reinstalled = await Promise.all(phones.map(({ device }) => onboard(newId(), device)));
      assert.deepEqual(new Set(reinstalled.map(({ credits_remaining }) => credits_remaining)), new Set([0]));
    });
  });
});

describe('INITIAL_GRANT_CREDITS', OWN_SERVER, () => {
  const server = useServer({ INITIAL_GRANT_CREDITS: '25', WORKER: 'off' });

  test('sets the credits of a new device', async () => {
    const reply = await deviceCheck(server.url, {
      device_id: randomUUID(),
      device_token: btoa(`device:${randomUUID()}`),
    });
    assert.equal(expectStatus(reply, 200).body.credits_remaining, 25);
  });
});
