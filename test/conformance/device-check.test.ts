/** The DeviceCheck adapter against the simulator, inside the process and over a port: every fact of Apple's protocol. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { withControls } from '../../sim/device-check/controls.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld } from '../../sim/world.ts';
import { createDeviceCheck } from '../../src/apple/device-check.ts';
import type { DeviceCheckOptions } from '../../src/apple/device-check-send.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Log } from '../../src/kernel/log.ts';

type Line = { level: string; fields: object; message: string };

/** Every line that any adapter logged, for the check at the end of the file. */
const everyLine: Line[] = [];

function collectingLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
    everyLine.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function manualClock(): Clock & { turn(ms: number): void } {
  let nowMs = Date.UTC(2026, 10, 22, 12);
  return {
    now: () => new Date(nowMs),
    turn: (ms) => {
      nowMs += ms;
    },
  };
}

const tokenOf = (text: string) => Buffer.from(text).toString('base64');
const phone = tokenOf('device:phone-0001 and what makes this token another');
const isKnown = (bit0: boolean, bit1: boolean) => ({ state: 'known', bit0, bit1 });

/** Long enough for two answers on a busy machine; tests of timeouts use SHORT_MS. */
const TIMEOUT_MS = 10_000;
const SHORT_MS = 250;

async function bench(t: TestContext, transport: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'device-check-'));
  const clock = manualClock();
  const log = collectingLog();
  const world = await createWorld({ dataDir, clock, log });
  const { controls, credentials } = world.deviceCheck;
  const served = transport === 'over a port' ? await serveSimulator(withControls(world.deviceCheck)) : undefined;
  t.after(async () => {
    await world.close();
    await served?.close();
    await rm(dataDir, { recursive: true });
  });
  const { teamId, keyId, privateKeyPem: privateKey } = credentials;
  const options = {
    ...{ teamId, keyId, privateKey, clock, log, timeoutMs: TIMEOUT_MS },
    baseUrl: served?.url ?? world.deviceCheck.baseUrl,
    fetch: served ? fetch : world.fetch,
  };
  const withOptions = (changed: Partial<DeviceCheckOptions>) => createDeviceCheck({ ...options, ...changed });
  return {
    controls,
    clock,
    log,
    withOptions,
    apple: withOptions({}),
    shortTimeout: withOptions({ timeoutMs: SHORT_MS }),
  };
}

for (const transport of ['inside the process', 'over a port']) {
  suite(`DeviceCheck ${transport}`, { concurrency: 4 }, () => {
    test('a device whose bits were never set has both of them false, with either of Apple’s messages', async (t) => {
      const { apple, controls } = await bench(t, transport);
      assert.deepEqual(await apple.query(phone), isKnown(false, false));
      controls.setNeverSetText('Bit State Not Found');
      assert.deepEqual(await apple.query(phone), isKnown(false, false));
      for (const text of ['Failed to find bit state\r\n', '"Failed to find bit state"', '\uFEFFBIT STATE NOT FOUND']) {
        controls.plan({ reply: { status: 200, text } });
        assert.deepEqual(await apple.query(phone), isKnown(false, false), text);
      }
    });

    test('bits are read as they were set, with every token of the device and for no other device', async (t) => {
      const { apple } = await bench(t, transport);
      for (const [bit0, bit1] of [
        [true, false],
        [false, true],
        [true, true],
        [false, false],
      ] as const) {
        assert.equal(await apple.setBits(phone, { bit0, bit1 }), 'done');
        assert.deepEqual(await apple.query(tokenOf('device:phone-0001 a later token')), isKnown(bit0, bit1));
        assert.deepEqual(await apple.query(tokenOf('device:phone-00011')), isKnown(false, false));
      }
    });

    test('each call has its own transaction id and the time in milliseconds', async (t) => {
      const { apple, clock, controls } = await bench(t, transport);
      await apple.query(phone);
      clock.turn(1234);
      await apple.setBits(phone, { bit0: true, bit1: false });
      await apple.query(phone);
      const calls = controls.calls();
      assert.deepEqual(
        calls.map(({ operation, status }) => `${operation} ${status}`),
        ['query 200', 'update 200', 'query 200'],
      );
      assert.equal(new Set(calls.map(({ transactionId }) => transactionId)).size, 3);
      assert.equal(calls[2]?.timestamp, clock.now().getTime());
    });

    test('a token that Apple rejects is a bad token, and sets nothing', async (t) => {
      const { apple, controls, log } = await bench(t, transport);
      assert.deepEqual(await apple.query(tokenOf('invalid device:phone-0001')), { state: 'bad_token' });
      assert.equal(await apple.setBits(tokenOf('invalid'), { bit0: true, bit1: true }), 'bad_token');
      assert.deepEqual(await controls.devices(), []);
      assert.equal(controls.calls().length, 2, 'no second attempt');
      assert.deepEqual(log.lines, []);
    });

    test('a token that is not base64 of a reasonable size is a bad token without a request to Apple', async (t) => {
      const { apple, controls } = await bench(t, transport);
      for (const token of ['', '=', 'two words', 'töken', '{"a":1}', `${phone}\n`, 'A'.repeat(8193), 'AA===']) {
        assert.deepEqual(await apple.query(token), { state: 'bad_token' });
        assert.equal(await apple.setBits(token, { bit0: true, bit1: true }), 'bad_token');
      }
      assert.deepEqual(controls.calls(), []);
      for (const token of ['-_-_', '+/+/', 'YQ==', 'YQ', 'A'.repeat(8190)]) {
        assert.deepEqual(await apple.query(token), isKnown(false, false));
      }
    });

    const rejections: [number, string, 'bad_token' | 'our fault' | 'not our fault'][] = [
      [400, 'Bad Device Token', 'bad_token'],
      [400, 'Missing or incorrectly formatted device token payload', 'bad_token'],
      [
        400,
        '{"responseCode":"400","responseMessage":"Missing or incorrectly formatted device token payload"}',
        'bad_token',
      ],
      [400, 'Missing or badly formatted authorization token', 'our fault'],
      [400, 'Invalid or missing timestamp', 'our fault'],
      [400, 'Invalid or missing transaction id', 'our fault'],
      [400, '', 'our fault'],
      [400, '<html><body>a proxy that dislikes your device token</body></html>', 'our fault'],
      [401, 'Unable to verify authorization token', 'our fault'],
      [401, 'Invalid Authorization Token', 'our fault'],
      [401, 'Bad Device Token', 'our fault'],
      [403, 'Forbidden', 'our fault'],
      [404, 'Not Found', 'our fault'],
      [429, 'Too Many Requests', 'not our fault'],
    ];

    test('only a 400 about the device token makes it a bad token; other rejections change nothing', async (t) => {
      const { apple, controls, log } = await bench(t, transport);
      for (const [status, text, meaning] of rejections) {
        controls.plan({ times: 2, reply: { status, text } });
        const answer = await apple.query(phone);
        const outcome = await apple.setBits(phone, { bit0: true, bit1: true });
        const levels = log.lines.splice(0).map(({ level }) => level);
        if (meaning === 'bad_token') {
          assert.deepEqual([answer.state, outcome, levels], ['bad_token', 'bad_token', []], text);
          continue;
        }
        assert.equal(answer.state, 'unavailable', text);
        assert.equal(typeof outcome === 'object' && outcome.outcome, 'failed', text);
        const level = meaning === 'our fault' ? 'error' : 'warn';
        assert.deepEqual(levels, [level, level], `${status} ${text}`);
      }
      assert.equal(controls.calls().length, rejections.length * 2, 'none of them is retried');
      assert.deepEqual(await controls.devices(), []);
    });

    test('a key, a team or a time that Apple does not accept is logged as our error, never a bad token', async (t) => {
      const { withOptions, clock, log, controls } = await bench(t, transport);
      const { privateKeyPem: privateKey } = (await worldOf(t)).deviceCheck.credentials;
      const shifted = (ms: number) => ({ clock: { now: () => new Date(clock.now().getTime() + ms) } });
      const wrong = [
        { privateKey },
        { keyId: 'UNKNOWN' },
        { teamId: 'OTHERTEAM0' },
        shifted(-7_200_000),
        shifted(600_000),
      ];
      for (const changed of wrong) {
        const answer = await withOptions(changed).query(phone);
        assert.deepEqual(answer, {
          state: 'unavailable',
          cause: 'answered 401: Unable to verify authorization token',
        });
        assert.deepEqual(
          log.lines.splice(0).map(({ level }) => level),
          ['error'],
        );
      }
      assert.equal(controls.calls().length, wrong.length);
    });

    test('a query is repeated once after a transient failure', async (t) => {
      const { apple, controls } = await bench(t, transport);
      const transient = [
        { status: 500 },
        { status: 502, text: '<html>bad gateway</html>' },
        { status: 503, headers: { 'retry-after': '0' } },
        { status: 429, headers: { 'retry-after': '0' } },
      ];
      for (const reply of transient) {
        controls.plan({ on: 'query', reply });
        assert.deepEqual(await apple.query(phone), isKnown(false, false));
      }
      controls.plan({ on: 'query', reply: 'cut' });
      assert.deepEqual(await apple.query(phone), isKnown(false, false));
      controls.plan({ on: 'query', reply: { status: 200, text: 'Failed to find bit state', isCutShort: true } });
      assert.deepEqual(await apple.query(phone), isKnown(false, false));
      assert.equal(controls.calls().length, 2 * 6);
    });

    test('a lasting failure makes the device’s state unavailable after the second attempt', async (t) => {
      const { apple, controls, log } = await bench(t, transport);
      controls.plan({ times: 9, reply: { status: 500 } });
      assert.deepEqual(await apple.query(phone), { state: 'unavailable', cause: 'answered 500' });
      assert.equal(controls.calls().length, 2);
      assert.deepEqual(
        log.lines.map(({ level }) => level),
        ['warn', 'warn'],
      );
    });

    test('a query is not repeated after a Retry-After of more than a second', async (t) => {
      const { apple, controls } = await bench(t, transport);
      for (const status of [429, 503]) {
        controls.plan({ reply: { status, headers: { 'retry-after': '2' } } });
        assert.equal((await apple.query(phone)).state, 'unavailable');
      }
      assert.equal(controls.calls().length, 2);
    });

    test('a query times out while it waits for the headers or for the body', async (t) => {
      const { shortTimeout, controls } = await bench(t, transport);
      const hangs = [
        { hangMs: 60_000 },
        { reply: { status: 200, text: 'Failed to find bit state', stallMs: 60_000 } },
        { reply: { status: 400, text: 'Bad Device Token', stallMs: 60_000 } },
      ];
      for (const hang of hangs) {
        controls.plan(hang);
        const startedAtMs = performance.now();
        assert.deepEqual(await shortTimeout.query(phone), { state: 'unavailable', cause: 'no answer in time' });
        const tookMs = performance.now() - startedAtMs;
        assert.ok(tookMs > SHORT_MS / 2 && tookMs < 5000, `${tookMs} ms`);
      }
      controls.plan({ apply: true, hangMs: 60_000 });
      const outcome = await shortTimeout.setBits(phone, { bit0: true, bit1: false });
      assert.deepEqual(outcome, { outcome: 'unknown', cause: 'no answer in time' });
      assert.deepEqual(await shortTimeout.query(phone), isKnown(true, false));
    });

    test('an answer that is not Apple’s makes the state unavailable: pages, redirects, huge bodies, other JSON', async (t) => {
      const { apple, controls, log } = await bench(t, transport);
      const strange = [
        { status: 200, text: '<html><body>Failed to find bit state</body></html>' },
        { status: 200, text: 'OK' },
        { status: 200, text: '' },
        { status: 200, text: '{"bit0":true}' },
        { status: 200, text: '{"bit0":"true","bit1":"false"}' },
        { status: 200, text: 'null' },
        { status: 200, text: '{"bit0":true,"bit1":fal' },
        { status: 200, text: `Failed to find bit state${' '.repeat(500)}` },
        { status: 200, text: 'Failed to find bit state', fillerBytes: 200_000_000 },
        { status: 204, text: '' },
        { status: 302, headers: { location: '/v1/query_two_bits' } },
      ];
      for (const reply of strange) {
        controls.plan({ reply });
        assert.equal((await apple.query(phone)).state, 'unavailable', JSON.stringify(reply));
        assert.equal(log.lines.splice(0).length, 1, JSON.stringify(reply));
      }
      assert.equal(controls.calls().length, strange.length, 'none of them is retried');
    });

    test('an update that was applied but answered with a failure is unknown, and safe to repeat', async (t) => {
      const { apple, controls } = await bench(t, transport);
      const failures = [
        { status: 500 },
        { status: 200, text: '<html>welcome to the hotel</html>' },
        { status: 200, fillerBytes: 1_000_000 },
        { status: 302, headers: { location: '/' } },
      ];
      for (const reply of [...failures, 'cut' as const]) {
        await controls.forget('phone-0001');
        controls.plan({ on: 'update', times: 2, apply: true, reply });
        const outcome = await apple.setBits(phone, { bit0: true, bit1: true });
        assert.equal(typeof outcome === 'object' && outcome.outcome, 'unknown', JSON.stringify(reply));
        controls.clearFaults();
        assert.deepEqual(await apple.query(phone), isKnown(true, true));
        assert.equal(await apple.setBits(phone, { bit0: true, bit1: true }), 'done');
      }
    });

    test('an update that failed without being applied is unknown too, or done at the second attempt', async (t) => {
      const { apple, controls } = await bench(t, transport);
      controls.plan({ on: 'update', times: 2, reply: { status: 500 } });
      const outcome = await apple.setBits(phone, { bit0: true, bit1: false });
      assert.deepEqual(outcome, { outcome: 'unknown', cause: 'answered 500' });
      assert.deepEqual(await apple.query(phone), isKnown(false, false));
      controls.plan({ on: 'update', reply: 'cut' });
      assert.equal(await apple.setBits(phone, { bit0: true, bit1: false }), 'done');
      assert.deepEqual(await apple.query(phone), isKnown(true, false));
    });

    test('a rejected second attempt leaves the outcome unknown, because the first may have been applied', async (t) => {
      const { apple, controls } = await bench(t, transport);
      for (const reply of [{ status: 400, text: 'Bad Device Token' }, { status: 401 }, { status: 429 }]) {
        controls.plan({ apply: true, reply: { status: 500 } });
        controls.plan({ reply });
        const outcome = await apple.setBits(phone, { bit0: true, bit1: true });
        assert.equal(typeof outcome === 'object' && outcome.outcome, 'unknown', JSON.stringify(reply));
      }
    });
  });
}

suite('DeviceCheck’s connections', () => {
  test('a redirect is not followed: the device token is sent to no other server', async (t) => {
    const { apple, controls } = await bench(t, 'over a port');
    const requests: string[] = [];
    const elsewhere = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end('{"bit0":false,"bit1":false}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      elsewhere.closeAllConnections();
      elsewhere.close();
    });
    const address = elsewhere.address();
    const port = typeof address === 'object' ? address?.port : 0;
    for (const status of [301, 302, 303, 307, 308]) {
      controls.plan({ reply: { status, headers: { location: `http://127.0.0.1:${port}/v1/query_two_bits` } } });
      assert.deepEqual(await apple.query(phone), { state: 'unavailable', cause: `answered ${status}` });
    }
    assert.deepEqual(requests, []);
  });

  test('without a connection an update has failed, and a query is unavailable', async (t) => {
    const closed = await serveSimulator(withControls((await worldOf(t)).deviceCheck));
    await closed.close();
    const { withOptions } = await bench(t, 'over a port');
    const apple = withOptions({ baseUrl: closed.url });
    const cause = 'no connection (ECONNREFUSED)';
    assert.deepEqual(await apple.query(phone), { state: 'unavailable', cause });
    assert.deepEqual(await apple.setBits(phone, { bit0: true, bit1: true }), { outcome: 'failed', cause });
  });
});

async function worldOf(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'device-check-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  return createWorld({ dataDir, clock: manualClock(), log: collectingLog() });
}

after(() => {
  const written = JSON.stringify(everyLine);
  assert.ok(everyLine.length > 100, 'the adapters have logged');
  for (const text of ['phone-0001', phone, phone.slice(0, 12), 'eyJ']) assert.ok(!written.includes(text), text);
});
