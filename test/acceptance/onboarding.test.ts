/** device-check: what it accepts, and what it answers. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { onboardedShape } from './support/answers.ts';
import { expectStatus } from './support/api.ts';
import { asGuest, deviceCheck, deviceTokenOf } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { OWN_SERVER, useServer, useTarget } from './support/target.ts';

const target = useTarget();

const newToken = () => deviceTokenOf(randomUUID());
const onboard = (device_id: unknown, device_token: unknown = newToken()) =>
  deviceCheck(target.url, { device_id, device_token });

describe('device-check', () => {
  test('answers an account with its session, in the shape that the Supabase clients need', async () => {
    const deviceId = randomUUID();
    const { body } = expectStatus(await onboard(deviceId), 200);
    assertShape(body, onboardedShape);
    const { session, ...rest } = body;
    assert.deepEqual(rest, {
      user_id: session.user.id,
      credits_remaining: 10,
      is_new: true,
      access_token: session.access_token,
      refresh_token: session.refresh_token,
    });
    assert.equal(session.expires_in, 3600);
    assert.ok(Math.abs(session.expires_at - 3600 - Date.now() / 1000) < 60);
    assert.equal((await asGuest(target.url, body).profile()).device_id, deviceId);
  });

  test('needs no token, and answers the session of the device even if the token of another user is sent', async () => {
    const other = expectStatus(await onboard(randomUUID()), 200).body;
    const reply = await deviceCheck(
      target.url,
      { device_id: randomUUID(), device_token: newToken() },
      { token: other.access_token },
    );
    assert.notEqual(expectStatus(reply, 200).body.user_id, other.user_id);
  });

  test("a new account has the caller's language", async () => {
    for (const [header, language] of [
      ['tr-TR', 'tr'],
      ['es-MX,es;q=0.9', 'es'],
      ['de', 'en'],
    ] as const) {
      const body = { device_id: randomUUID(), device_token: newToken() };
      const reply = await deviceCheck(target.url, body, { headers: { 'Accept-Language': header } });
      assert.equal((await asGuest(target.url, reply.body).profile()).language, language);
    }
  });

  test('device ids that are UUIDs are compared without case, others exactly', async () => {
    const token = newToken();
    const idOf = async (deviceId: string) => expectStatus(await onboard(deviceId, token), 200).body.user_id;
    const uuid = randomUUID();
    const first = await idOf(uuid);
    assert.equal(await idOf(uuid.toUpperCase()), first);
    const mixed = [...uuid].map((letter, index) => (index % 2 ? letter.toUpperCase() : letter)).join('');
    assert.equal(await idOf(mixed), first);
    const text = `Phone-${randomUUID()}`;
    const second = await idOf(text);
    assert.notEqual(await idOf(text.toLowerCase()), second);
    assert.equal(await idOf(text), second);
    assert.notEqual(await idOf(`${text} `), second);
  });

  test('an id is 8 to 128 printable characters, whatever the alphabet', async () => {
    const random = () => randomUUID().replaceAll('-', '');
    for (const id of [
      random().slice(0, 8),
      random().repeat(4),
      `cihaz ğüşıöç ${random()}`,
      `電話 ${random()}`,
      `{"a":'b'} <c> \\ % ${random()}`,
      `📱📱📱📱📱📱📱${String.fromCodePoint(0x1f300 + (process.pid % 0x200))}`,
      `${'📱'.repeat(96)}${random()}`,
    ]) {
      expectStatus(await onboard(id), 200);
    }
    for (const id of [
      '',
      '1234567',
      '📱📱📱📱',
      'x'.repeat(129),
      `a-device\n${random()}`,
      `a-device\t${random()}`,
      `a-device\u0007${random()}`,
      `a-device\u007f${random()}`,
      `a-device\u200e${random()}`,
    ]) {
      assertRefused(await onboard(id), 400, 'ERR_4006', { field: 'device_id' });
    }
    for (const id of [undefined, null, 12345678, true, {}, ['12345678']]) {
      assertRefused(await onboard(id), 400, 'ERR_4006', { field: 'device_id' });
    }
  });

  test('a device token that is malformed is 400, one that Apple refuses is 403', async () => {
    const id = randomUUID();
    for (const token of ['', 1, true, {}, ['x'], 'x'.repeat(60_000)]) {
      const reply = await onboard(id, token);
      assertRefused(reply, 400, 'ERR_4006', { field: 'device_token' });
    }
    const reply = await onboard(id, btoa('invalid'));
    assertRefused(reply, 403, 'ERR_4010');
    assert.doesNotMatch(reply.text, /access_token|refresh_token|user_id/);
    assert.equal(expectStatus(await onboard(id), 200).body.is_new, true, 'nothing was created');
  });

  test('gives no session for a known device id without a device token', async () => {
    const [id, token] = [randomUUID(), newToken()];
    expectStatus(await onboard(id, token), 200);
    const reply = await deviceCheck(target.url, { device_id: id });
    assert.equal(reply.status, 503);
    assert.doesNotMatch(reply.text, /access_token|refresh_token|user_id/);
    assert.equal(expectStatus(await onboard(id, token), 200).body.is_new, false);
    assertRefused(await onboard(id, newToken()), 403, 'ERR_4010');
  });

  test('the simulated DeviceCheck knows a device by its name, so a reinstalled app gets no second grant', async () => {
    const name = randomUUID();
    const first = await deviceCheck(target.url, {
      device_id: randomUUID(),
      device_token: deviceTokenOf(`${name} one`),
    });
    const second = await deviceCheck(target.url, {
      device_id: randomUUID(),
      device_token: deviceTokenOf(`${name} two`),
    });
    assert.deepEqual([first.body.credits_remaining, second.body.credits_remaining], [10, 0]);
  });
});

describe('where DeviceCheck is neither configured nor simulated', OWN_SERVER, () => {
  const bare = useServer(async () => ({ ENVIRONMENT: 'staging', WORKER: 'off' }));
  test('device-check is switched off, with its own error code', async () => {
    const reply = await deviceCheck(bare.url, { device_id: randomUUID(), device_token: newToken() });
    assertRefused(reply, 501, 'ERR_4017');
  });
});
