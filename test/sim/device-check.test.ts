import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { importPKCS8, SignJWT } from 'jose';
import { withControls } from '../../sim/device-check/controls.ts';
import { deviceOf } from '../../sim/device-check/device.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';

const clock = { now: () => new Date(Date.UTC(2026, 10, 22, 12)) };
const nowSeconds = clock.now().getTime() / 1000;

async function tempFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'world-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function worldIn(dataDir: string, log = silentLog): Promise<World> {
  return createWorld({ dataDir, clock, log });
}

type Claims = { kid?: string; iss?: string; iat?: number };

async function signedToken({ deviceCheck }: World, { kid, iss, iat = nowSeconds }: Claims = {}): Promise<string> {
  const { keyId, teamId, privateKeyPem } = deviceCheck.credentials;
  const jwt = new SignJWT().setProtectedHeader({ alg: 'ES256', kid: kid ?? keyId }).setIssuer(iss ?? teamId);
  return jwt.setIssuedAt(iat).sign(await importPKCS8(privateKeyPem, 'ES256'));
}

const body = { device_token: 'ZGV2aWNlOmE=', transaction_id: 'one', timestamp: clock.now().getTime() };

/** Sends a request as any client would; returns `status text`. */
async function send(world: World, path: string, json: unknown, authorization?: string): Promise<string> {
  const response = await world.fetch(`${world.deviceCheck.baseUrl}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: authorization ?? `Bearer ${await signedToken(world)}` },
    body: typeof json === 'string' ? json : JSON.stringify(json),
  });
  return `${response.status} ${await response.text()}`.trim();
}

test('a device’s id is the text after "device:" up to the first white space, else the token itself', () => {
  const of = (text: string) => deviceOf(Buffer.from(text).toString('base64'));
  assert.equal(of('device:phone-1'), 'phone-1');
  assert.equal(of('device:phone-1 nonce'), 'phone-1');
  assert.equal(of('v1 device:phone-1\tnonce'), 'phone-1');
  assert.equal(of('invalid'), undefined);
  assert.equal(of('invalid device:phone-1'), undefined);
  assert.equal(of('device:invalid'), 'invalid');
  assert.equal(deviceOf('some-token'), 'some-token');
  assert.equal(deviceOf(Buffer.from('device: x').toString('base64')), Buffer.from('device: x').toString('base64'));
  assert.equal(deviceOf(Buffer.from('device:ü?>').toString('base64url')), 'ü?>');
});

test('each operation answers as Apple does', async (t) => {
  const world = await worldIn(await tempFolder(t));
  assert.equal(await send(world, 'query_two_bits', body), '200 Failed to find bit state');
  assert.equal(await send(world, 'validate_device_token', body), '200');
  assert.equal(await send(world, 'update_two_bits', { ...body, bit0: true, bit1: false }), '200');
  const shown = '{"bit0":true,"bit1":false,"last_update_time":"2026-11"}';
  assert.equal(await send(world, 'query_two_bits', body), `200 ${shown}`);
  assert.equal(await send(world, 'no_such_thing', body), '404 404 Not Found');
});

test('a wrong authorization is rejected before the body is checked', async (t) => {
  const world = await worldIn(await tempFolder(t));
  const badlyFormatted = '400 Missing or badly formatted authorization token';
  const unverified = '401 Unable to verify authorization token';
  const cases: [string, string][] = [
    ['', badlyFormatted],
    ['Bearer', badlyFormatted],
    [`Basic ${await signedToken(world)}`, badlyFormatted],
    ['Bearer a.b.c', unverified],
    [`Bearer ${(await signedToken(world)).slice(0, -4)}AAAA`, unverified],
    [`Bearer ${await signedToken(world, { kid: 'OTHER' })}`, unverified],
    [`Bearer ${await signedToken(world, { iss: 'OTHERTEAM0' })}`, unverified],
    [`Bearer ${await signedToken(world, { iat: nowSeconds - 3700 })}`, unverified],
    [`Bearer ${await signedToken(world, { iat: nowSeconds + 120 })}`, unverified],
  ];
  for (const [authorization, expected] of cases) {
    assert.equal(await send(world, 'query_two_bits', 'no json', authorization), expected);
  }
});

test('a wrong request is rejected with Apple’s messages', async (t) => {
  const world = await worldIn(await tempFolder(t));
  const payload = '400 Missing or incorrectly formatted device token payload';
  const timestamp = '400 Invalid or missing timestamp';
  const cases: [unknown, string][] = [
    ['no json', payload],
    [[], payload],
    [{ ...body, device_token: undefined }, payload],
    [{ ...body, device_token: 7 }, payload],
    [{ ...body, bit0: 'true' }, payload],
    [{ ...body, transaction_id: '' }, '400 Invalid or missing transaction id'],
    [{ ...body, timestamp: undefined }, timestamp],
    [{ ...body, timestamp: String(body.timestamp) }, timestamp],
    [{ ...body, timestamp: nowSeconds }, timestamp],
    [{ ...body, device_token: Buffer.from('invalid-1').toString('base64') }, '400 Bad Device Token'],
  ];
  for (const [json, expected] of cases) {
    for (const path of ['query_two_bits', 'update_two_bits', 'validate_device_token']) {
      assert.equal(await send(world, path, json), expected);
    }
  }
  assert.deepEqual(await world.deviceCheck.controls.devices(), []);
});

test('bits survive a restart, and are shared by worlds over one folder', async (t) => {
  const dataDir = await tempFolder(t);
  const [one, other] = [await worldIn(dataDir), await worldIn(dataDir)];
  assert.equal(await send(one, 'update_two_bits', { ...body, bit0: true, bit1: true }), '200');
  const shown = '200 {"bit0":true,"bit1":true,"last_update_time":"2026-11"}';
  assert.equal(await send(other, 'query_two_bits', body), shown);
  await Promise.all([one.close(), other.close()]);
  assert.equal(await send(await worldIn(dataDir), 'query_two_bits', body), shown);
});

test('concurrent writers leave every device complete, and no temporary files', async (t) => {
  const dataDir = await tempFolder(t);
  const { controls } = (await worldIn(dataDir)).deviceCheck;
  const writes = Array.from({ length: 100 }, (_, i) =>
    controls.setBits(`d${i % 10}`, { bit0: true, bit1: i % 2 === 0 }),
  );
  await Promise.all(writes);
  assert.equal((await controls.devices()).length, 10);
  const files = await readdir(join(dataDir, 'simulators', 'device-check'));
  assert.ok(files.length === 10 && files.every((file) => file.endsWith('.json')));
});

test('an unreadable device is an error that names its file, never a device without bits', async (t) => {
  const dataDir = await tempFolder(t);
  const causes: unknown[] = [];
  const world = await worldIn(dataDir, { ...silentLog, error: (fields) => causes.push(fields) });
  await world.deviceCheck.controls.setBits('a', { bit0: true, bit1: true });
  const stored = join(dataDir, 'simulators', 'device-check');
  const [file = ''] = await readdir(stored);
  for (const content of ['', '{"device":"a"', '{"device":"a"}']) {
    await writeFile(join(stored, file), content);
    assert.equal(await send(world, 'query_two_bits', body), '500 Internal Server Error');
    await assert.rejects(world.deviceCheck.controls.devices(), new RegExp(file));
  }
  assert.equal(causes.length, 3);
  assert.ok(JSON.stringify(causes[0]).includes(file));
});

test('a host without a simulator cannot be reached, and no redirect leaves the simulated world', async (t) => {
  const world = await worldIn(await tempFolder(t));
  await assert.rejects(world.fetch('https://api.push.apple.com/'), { name: 'TypeError', message: 'fetch failed' });
  world.deviceCheck.controls.plan({ reply: { status: 302, headers: { location: 'https://example.com' } } });
  await assert.rejects(world.fetch(`${world.deviceCheck.baseUrl}/v1/query_two_bits`, { method: 'POST' }));
});

test('closing the world ends the requests that hang', async (t) => {
  const world = await worldIn(await tempFolder(t));
  world.deviceCheck.controls.plan({ hangMs: 600_000 });
  const request = assert.rejects(send(world, 'query_two_bits', body), { message: 'fetch failed' });
  const until = Date.now() + 90_000;
  while (world.deviceCheck.controls.calls().length === 0 && Date.now() < until) await new Promise(setImmediate);
  await world.close();
  await request;
});

test('served over a port, the control panel does what the object does', async (t) => {
  const { deviceCheck } = await worldIn(await tempFolder(t));
  const { url, close } = await serveSimulator(withControls(deviceCheck));
  t.after(close);
  const control = (method: string, path: string, json?: unknown) =>
    fetch(`${url}/_control/${path}`, { method, ...(json ? { body: JSON.stringify(json) } : {}) });

  const stored = { device: 'a/b', bit0: true, bit1: false };
  assert.equal((await control('PUT', 'devices', stored)).status, 204);
  assert.deepEqual(await (await control('GET', 'devices')).json(), [{ ...stored, last_update_time: '2026-11' }]);
  assert.equal((await control('DELETE', `devices/${encodeURIComponent('a/b')}`)).status, 204);
  assert.deepEqual(await deviceCheck.controls.devices(), []);

  assert.equal((await control('POST', 'faults', { on: 'query', reply: { status: 418, text: 'tea' } })).status, 204);
  const faulty = await fetch(`${url}/v1/query_two_bits`, { method: 'POST' });
  assert.equal(`${faulty.status} ${await faulty.text()}`, '418 tea');
  const [call] = deviceCheck.controls.calls();
  assert.deepEqual(await (await control('GET', 'calls')).json(), [call]);
  assert.equal(call?.status, 418);

  assert.equal((await control('POST', 'faults', { hangMs: 1, times: 5 })).status, 204);
  assert.equal((await control('DELETE', 'faults')).status, 204);
  assert.equal((await fetch(`${url}/v1/query_two_bits`, { method: 'POST' })).status, 400);
});

test('the control panel is not part of the app that answers inside the server', async (t) => {
  const world = await worldIn(await tempFolder(t));
  assert.equal((await world.fetch(`${world.deviceCheck.baseUrl}/_control/devices`)).status, 404);
});
