/** Apple's two DeviceCheck hosts: builds from Xcode and from TestFlight have tokens that only one of them knows. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportPKCS8, generateKeyPair } from 'jose';
import { createWorld } from '../../sim/world.ts';
import { createDeviceCheck } from '../../src/apple/device-check.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { recordingLog } from '../http/harness.ts';

const MAIN = 'api.devicecheck.apple.com';
const DEVELOPMENT = 'api.development.devicecheck.apple.com';
const token = Buffer.from('device:phone-0002').toString('base64');
const BITS = { bit0: true, bit1: false };

type Script = Record<string, () => Response | undefined>;
const text = (status: number, body: string) => () => new Response(body, { status });
const badToken = text(400, 'Bad Device Token');
const badKey = text(400, 'Missing or badly formatted authorization token');
const busy = text(503, 'Service Unavailable');
/** The simulator answers. */
const genuine = () => undefined;

/** The adapter in front of one simulator under both names; `script` replaces what a host answers. */
async function bench(t: TestContext, script: Script, { isProduction = false } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'device-check-hosts-'));
  const world = await createWorld({ dataDir, clock: systemClock, log: silentLog });
  t.after(async () => {
    await world.close();
    await rm(dataDir, { recursive: true });
  });
  const asked: string[] = [];
  const log = recordingLog();
  const { privateKeyPem: privateKey, ...names } = world.deviceCheck.credentials;
  const apple = createDeviceCheck({
    ...{ ...names, privateKey, clock: systemClock, log, timeoutMs: 10_000 },
    baseUrl: isProduction ? `https://${MAIN}` : `https://${DEVELOPMENT}`,
    otherBaseUrl: isProduction ? undefined : `https://${MAIN}`,
    fetch: async (url, init) => {
      const { host } = new URL(String(url));
      asked.push(host);
      return script[host]?.() ?? world.fetch(url, init);
    },
  });
  return { apple, asked, log, controls: world.deviceCheck.controls };
}

test('a token that the first host does not know is tried at the other, for queries and updates', async (t) => {
  const { apple, asked, controls } = await bench(t, { [DEVELOPMENT]: badToken, [MAIN]: genuine });
  assert.deepEqual(await apple.query(token), { state: 'known', bit0: false, bit1: false });
  assert.equal(await apple.setBits(token, BITS), 'done');
  assert.deepEqual(await apple.query(token), { state: 'known', ...BITS });
  assert.deepEqual(asked, [DEVELOPMENT, MAIN, DEVELOPMENT, MAIN, DEVELOPMENT, MAIN]);
  assert.equal((await controls.devices()).length, 1);
});

test('a token that neither host knows is a bad token, after one request to each', async (t) => {
  const { apple, asked, log, controls } = await bench(t, { [DEVELOPMENT]: badToken, [MAIN]: badToken });
  assert.deepEqual(await apple.query(token), { state: 'bad_token' });
  assert.equal(await apple.setBits(token, BITS), 'bad_token');
  assert.deepEqual(asked, [DEVELOPMENT, MAIN, DEVELOPMENT, MAIN]);
  assert.deepEqual([log.lines, await controls.devices()], [[], []]);
});

test('the other host is not asked when the first one knows the token, or is out of reach', async (t) => {
  const known = await bench(t, { [DEVELOPMENT]: genuine, [MAIN]: () => assert.fail('was asked') });
  assert.deepEqual(await known.apple.query(token), { state: 'known', bit0: false, bit1: false });
  const down = await bench(t, { [DEVELOPMENT]: busy, [MAIN]: () => assert.fail('was asked') });
  assert.equal((await down.apple.query(token)).state, 'unavailable');
  assert.deepEqual([...known.asked, ...down.asked], [DEVELOPMENT, DEVELOPMENT, DEVELOPMENT]);
});

test('production asks one host', async (t) => {
  const { apple, asked } = await bench(t, { [MAIN]: badToken }, { isProduction: true });
  assert.deepEqual(await apple.query(token), { state: 'bad_token' });
  assert.deepEqual(asked, [MAIN]);
});

test('a key that the first host refuses is tried at the other, and is an error in the log', async (t) => {
  const { apple, log } = await bench(t, { [DEVELOPMENT]: badKey, [MAIN]: genuine });
  assert.deepEqual(await apple.query(token), { state: 'known', bit0: false, bit1: false });
  assert.equal(await apple.setBits(token, BITS), 'done');
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error', 'error'],
  );
});

test('a device is bad only if no host has refused our key: one that has says nothing about the device', async (t) => {
  for (const script of [
    { [DEVELOPMENT]: badKey, [MAIN]: badToken },
    { [DEVELOPMENT]: badToken, [MAIN]: badKey },
    { [DEVELOPMENT]: badToken, [MAIN]: busy },
    { [DEVELOPMENT]: badKey, [MAIN]: badKey },
  ]) {
    const { apple, controls } = await bench(t, script);
    assert.equal((await apple.query(token)).state, 'unavailable');
    assert.equal(typeof (await apple.setBits(token, BITS)), 'object');
    assert.deepEqual(await controls.devices(), []);
  }
});

test('an update that the first host may have applied is not repeated at the other', async (t) => {
  const replies = [busy, badToken];
  const { apple, asked } = await bench(t, { [DEVELOPMENT]: () => replies.shift()?.(), [MAIN]: genuine });
  const outcome = await apple.setBits(token, BITS);
  assert.equal(typeof outcome === 'object' && outcome.outcome, 'unknown');
  assert.deepEqual(asked, [DEVELOPMENT, DEVELOPMENT]);
});

test('both hosts together stay within the time of one operation', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const limited = createDeviceCheck({
    ...{ teamId: 'T', keyId: 'K', clock: systemClock, log: silentLog, timeoutMs: 200 },
    privateKey: await exportPKCS8(privateKey),
    baseUrl: 'https://one.example',
    otherBaseUrl: 'https://two.example',
    fetch: (url) => (String(url).startsWith('https://one') ? Promise.resolve(badToken()) : new Promise(() => {})),
  });
  assert.deepEqual(await limited.query(token), { state: 'unavailable', cause: 'no answer in time' });
});
