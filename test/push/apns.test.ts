/** The push service over HTTP/2: what each answer means, and which connection a push goes on. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { decodeJwt } from 'jose';
import type { PlanInput } from '../../sim/apns/plans.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createApns } from '../../src/push/apns/apns.ts';
import { createProviderToken } from '../../src/push/apns/provider-token.ts';
import type { Timing } from '../../src/push/apns/reply.ts';
import type { Push, PushResult, PushService } from '../../src/push/port.ts';
import { BUNDLE_ID, openApns, type TestApns } from '../support/apns.ts';

const never = new AbortController().signal;
const MINUTE_MS = 60_000;
/** A push that nothing ends would otherwise hold the whole file up. */
const LIMIT = { timeout: 20_000 };

describe('the push service', () => {
  let apns: TestApns;
  // At the beginning of a half hour, which decides when tokens are renewed.
  let nowMs = Date.parse('2026-11-29T12:01:00.000Z');
  const clock = { now: () => new Date(nowMs) };
  before(async () => {
    apns = await openApns(clock);
  });
  after(() => apns[Symbol.asyncDispose]());
  beforeEach(() => apns.controls.clearPlans());

  function open(t: TestContext, change: { urls?: TestApns['urls']; timing?: Partial<Timing>; keyId?: string } = {}) {
    const { teamId, keyId, privateKeyPem: privateKey } = apns.credentials;
    const service = createApns({
      key: { teamId, keyId: change.keyId ?? keyId, privateKey },
      bundleId: BUNDLE_ID,
      urls: change.urls ?? apns.urls,
      ...{ clock, log: silentLog, timing: change.timing },
    });
    t.after(() => service.close());
    return service;
  }
  const pushOf = (change: Partial<Push> = {}): Push => ({
    id: randomUUID(),
    token: randomUUID().replaceAll('-', '').repeat(2),
    environment: 'production',
    title: 'Your video is ready',
    body: 'Tap to watch it.',
    data: { job_id: 'a-job' },
    collapseId: randomUUID(),
    threadId: 'videos',
    expiresAt: new Date(nowMs + 24 * 60 * MINUTE_MS),
    ...change,
  });
  const send = (service: PushService, push: Push, signal = never): Promise<PushResult> => {
    assert.ok(service.send);
    return service.send(push, signal);
  };
  const received = async (id: string) => (await apns.controls.pushes()).find((push) => push.id === id);
  const callsOf = (id: string) => apns.controls.calls().filter((call) => call.id === id);
  const sessionsOf = (...ids: string[]) => new Set(ids.flatMap((id) => callsOf(id).map(({ session }) => session)));

  it('gives a push to the server of its environment, with all that a device needs and nothing else', async (t) => {
    const service = open(t);
    const push = pushOf({ environment: 'sandbox' });
    assert.deepEqual(await send(service, push), { outcome: 'sent' });
    const { receivedAtMs: _, ...got } = (await received(push.id)) ?? assert.fail('not received');
    assert.deepEqual(got, {
      ...{ id: push.id, environment: 'sandbox', token: push.token, topic: BUNDLE_ID, type: 'alert', priority: 10 },
      expiration: Math.floor(push.expiresAt.getTime() / 1000),
      collapseId: push.collapseId,
      payload: {
        job_id: 'a-job',
        aps: {
          alert: { title: 'Your video is ready', body: 'Tap to watch it.' },
          sound: 'default',
          'thread-id': 'videos',
        },
      },
      copies: 1,
    });
  });

  it('each answer means one thing', async (t) => {
    const service = open(t);
    const goneAt = new Date('2026-11-29T10:00:00.000Z');
    const retry = (reason: string, retryAfterMs: number | null = null): PushResult => ({
      ...{ outcome: 'retry', reason, retryAfterMs },
    });
    const cases: [PlanInput, PushResult][] = [
      [{ status: 410, reason: 'Unregistered', timestamp: goneAt.getTime() }, gone('410 Unregistered', goneAt)],
      [{ status: 410, reason: 'ExpiredToken', timestamp: goneAt.getTime() }, gone('410 ExpiredToken', goneAt)],
      [{ status: 410, reason: 'Unregistered', timestamp: 1e300 }, gone('410 Unregistered')],
      [{ status: 410, text: '' }, gone('410 without a reason')],
      [{ status: 400, reason: 'BadDeviceToken' }, gone('400 BadDeviceToken')],
      [{ status: 400, reason: 'DeviceTokenNotForTopic' }, gone('400 DeviceTokenNotForTopic')],
      [
        { status: 400, reason: 'BadTopic' },
        { outcome: 'declined', reason: '400 BadTopic' },
      ],
      [
        { status: 400, reason: 'TopicDisallowed' },
        { outcome: 'declined', reason: '400 TopicDisallowed' },
      ],
      [
        { status: 404, reason: 'BadPath' },
        { outcome: 'declined', reason: '404 BadPath' },
      ],
      [
        { status: 405, reason: 'MethodNotAllowed' },
        { outcome: 'declined', reason: '405 MethodNotAllowed' },
      ],
      [
        { status: 413, reason: 'PayloadTooLarge' },
        { outcome: 'declined', reason: '413 PayloadTooLarge' },
      ],
      [
        { status: 403, reason: 'Forbidden' },
        { outcome: 'key_refused', reason: '403 Forbidden' },
      ],
      [
        { status: 403, reason: 'BadEnvironmentKeyIdInToken' },
        { outcome: 'key_refused', reason: '403 BadEnvironmentKeyIdInToken' },
      ],
      [{ status: 429, reason: 'TooManyRequests' }, retry('429 TooManyRequests')],
      [{ status: 429, reason: 'TooManyProviderTokenUpdates' }, retry('429 TooManyProviderTokenUpdates')],
      [{ status: 429, reason: 'TooManyRequests', retryAfter: '7' }, retry('429 TooManyRequests', 7_000)],
      [{ status: 500, reason: 'InternalServerError' }, retry('500 InternalServerError')],
      [{ status: 502, text: '<html>bad gateway</html>' }, retry('502 without a reason')],
      [{ status: 503, reason: 'ServiceUnavailable', retryAfter: '120' }, retry('503 ServiceUnavailable', 120_000)],
      // What a proxy on the way may answer is no verdict of Apple's, and its words are not kept.
      [{ status: 302, text: '' }, retry('302 without a reason')],
      [{ status: 503, reason: 'see https://proxy.example/?user=1' }, retry('503 without a reason')],
    ];
    for (const [plan, expected] of cases) {
      const push = pushOf();
      apns.controls.plan({ ...plan, token: push.token });
      assert.deepEqual(await send(service, push), expected, JSON.stringify(plan));
      assert.equal(await received(push.id), undefined);
    }
    const ids = apns.controls
      .calls()
      .slice(-cases.length)
      .map(({ id }) => id ?? '');
    assert.equal(sessionsOf(...ids).size, 1, 'on one connection');
  });

  it(
    'a push without an answer is no verdict; sent again with the same id, a device shows it once',
    LIMIT,
    async (t) => {
      const service = open(t, { timing: { replyMs: 1_500 } });
      for (const silence of ['hang', 'cut'] as const) {
        const push = pushOf();
        apns.controls.plan({ token: push.token, silence, isDelivered: true });
        const result = await send(service, push);
        assert.equal(result.outcome, 'retry', silence);
        assert.match(result.outcome === 'retry' ? result.reason : '', /^no answer: \w+$/);
        assert.deepEqual(await send(service, push), { outcome: 'sent' });
        assert.equal((await received(push.id))?.copies, 2);
        assert.equal(sessionsOf(push.id).size, 2, 'the second on a new connection');
      }
    },
  );

  it('many pushes share one connection, also before Apple allows more than one stream', async (t) => {
    const service = open(t);
    const before = apns.controls.connections();
    const pushes = Array.from({ length: 60 }, () => pushOf());
    const results = await Promise.all(pushes.map((push) => send(service, push)));
    assert.ok(results.every(({ outcome }) => outcome === 'sent'));
    assert.equal(apns.controls.connections(), before + 1);
    assert.equal(new Set(pushes.map(({ id }) => callsOf(id)[0]?.authorization)).size, 1, 'with one token');
  });

  it('after a GOAWAY, pushes go on a new connection, and those on the old one are still answered', async (t) => {
    const service = open(t);
    const first = pushOf();
    assert.equal((await send(service, first)).outcome, 'sent');
    for (const code of [0, 1]) {
      apns.controls.goAway(code);
      const pushes = Array.from({ length: 10 }, () => pushOf());
      const results = await Promise.all(pushes.map((push) => send(service, push)));
      const lost = results.filter(({ outcome }) => outcome !== 'sent');
      // An error code says nothing about requests that are on their way.
      if (code === 0) assert.deepEqual(lost, []);
      assert.ok(lost.every(({ outcome }) => outcome === 'retry'));
      const next = pushOf();
      assert.equal((await send(service, next)).outcome, 'sent');
      assert.ok(!sessionsOf(first.id).has([...sessionsOf(next.id)][0] ?? 0));
    }
  });

  it('503 Shutdown announces the end of a connection', async (t) => {
    const service = open(t);
    const [push, next] = [pushOf(), pushOf()];
    apns.controls.plan({ token: push.token, status: 503, reason: 'Shutdown' });
    assert.equal((await send(service, push)).outcome, 'retry');
    assert.equal((await send(service, next)).outcome, 'sent');
    assert.notDeepEqual(sessionsOf(push.id), sessionsOf(next.id));
  });

  it(
    'a connection that has fallen silent is noticed by its ping, one that rests for long is closed',
    LIMIT,
    async (t) => {
      const proxy = await openSilentProxy(t, apns.urls.production);
      const service = open(t, {
        urls: { production: proxy.url, sandbox: proxy.url },
        timing: { pingEveryMs: 50, replyMs: 1_500 },
      });
      assert.equal((await send(service, pushOf())).outcome, 'sent');
      proxy.silence();
      await proxy.ended(1);
      assert.equal((await send(service, pushOf())).outcome, 'sent');
      const resting = open(t, {
        urls: { production: proxy.url, sandbox: proxy.url },
        timing: { pingEveryMs: 20, restMaxMs: 10 },
      });
      assert.equal((await send(resting, pushOf())).outcome, 'sent');
      await proxy.ended(2);
      assert.equal((await send(resting, pushOf())).outcome, 'sent');
    },
  );

  it('nobody there, no HTTP/2, or nothing said: no verdict, in bounded time', LIMIT, async (t) => {
    const silent = createServer(() => {});
    const wrong = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const closed = createServer();
    for (const server of [silent, wrong, closed]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const sockets = new Set<Socket>();
      server.on('connection', (socket) => sockets.add(socket));
      t.after(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      if (server === closed) server.close();
      const service = open(t, { urls: { production: url, sandbox: url }, timing: { connectMs: 100 } });
      const [one, other] = await Promise.all([send(service, pushOf()), send(service, pushOf())]);
      assert.deepEqual([one.outcome, other.outcome], ['retry', 'retry']);
      // The shutdown of a worker waits for nothing.
      assert.equal((await send(service, pushOf(), AbortSignal.abort())).outcome, 'retry');
    }
  });

  it('a provider token lives 20 to 60 minutes, and processes of one half hour date theirs the same', async () => {
    const { teamId, keyId, privateKeyPem: privateKey } = apns.credentials;
    const start = Date.parse('2026-11-29T10:29:00.000Z');
    for (const offset of [0, 5, 17, 29].map((minutes) => minutes * MINUTE_MS)) {
      let at = start + offset;
      const [one, other] = [0, 1].map(() =>
        createProviderToken({ teamId, keyId, privateKey }, { now: () => new Date(at) }),
      );
      assert.ok(one && other);
      let last: { token: string; sinceMs: number } | undefined;
      for (let minute = 0; minute < 300; minute += 1, at += MINUTE_MS) {
        const token = await one.current();
        const { iat = 0 } = decodeJwt(token);
        assert.ok(at / 1000 - iat < 60 * 60 && at / 1000 >= iat, 'its age');
        if (last && last.token !== token) assert.ok(at - last.sinceMs >= 20 * MINUTE_MS, 'its use');
        if (last?.token !== token) last = { token, sinceMs: at };
      }
      const iats = [decodeJwt(await one.current()).iat, decodeJwt(await other.current()).iat];
      assert.ok((iats[1] ?? 0) - (iats[0] ?? 0) <= 30 * 60 && (iats[1] ?? 0) % (30 * 60) === 0, 'of another process');
    }
  });

  it('a refused provider token is renewed once, then the key counts as refused', async (t) => {
    const service = open(t);
    await send(service, pushOf());
    for (const reason of ['ExpiredProviderToken', 'InvalidProviderToken']) {
      // Apple allows a new token after twenty minutes.
      nowMs += 25 * MINUTE_MS;
      const push = pushOf();
      apns.controls.plan({ token: push.token, status: 403, reason });
      assert.deepEqual(await send(service, push), { outcome: 'sent' }, reason);
      assert.equal(new Set(callsOf(push.id).map(({ authorization }) => authorization)).size, 2);
      const again = pushOf();
      apns.controls.plan({ token: again.token, status: 403, reason, times: 2 });
      assert.deepEqual(await send(service, again), { outcome: 'key_refused', reason: `403 ${reason}` });
      assert.equal(callsOf(again.id).length, 1, 'not renewed again within twenty minutes');
      apns.controls.clearPlans();
    }
    const stranger = open(t, { keyId: 'UNKNOWN000' });
    const push = pushOf();
    assert.deepEqual(await send(stranger, push), { outcome: 'key_refused', reason: '403 InvalidProviderToken' });
    assert.equal(callsOf(push.id).length, 2);
  });

  it('a clock that was set right gets a token of its own time', async (t) => {
    const service = open(t);
    const real = nowMs;
    nowMs += 3 * 3_600_000;
    const push = pushOf();
    // The simulator has the same clock: only the token shows which time it was made for.
    await send(service, push);
    nowMs = real;
    const later = pushOf();
    await send(service, later);
    const { iat = 0 } = decodeJwt((callsOf(later.id)[0]?.authorization ?? '').replace('bearer ', ''));
    assert.ok(iat * 1000 <= real);
  });
});

function gone(reason: string, goneAt: Date | null = null): PushResult {
  return { outcome: 'token_gone', reason, goneAt };
}

/** Passes everything on, until it falls silent without closing anything. New connections pass again. */
async function openSilentProxy(t: TestContext, target: string) {
  const { hostname, port, pathname } = new URL(target);
  const pairs: Socket[][] = [];
  let endedCount = 0;
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    pairs.push([client, upstream]);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
    client.on('close', () => {
      endedCount += 1;
      for (const { count, resolve } of waiting) if (endedCount >= count) resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of pairs.flat()) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    silence(): void {
      for (const [client, upstream] of pairs) {
        client?.removeAllListeners('data');
        upstream?.removeAllListeners('data');
      }
    },
    /** Resolves once as many connections have been ended by the client. */
    async ended(count: number): Promise<void> {
      if (endedCount >= count) return;
      await new Promise<void>((resolve) => waiting.push({ count, resolve }));
    },
  };
}
