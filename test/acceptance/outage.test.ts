/** Without its database the server answers 503, ends no session, grants nothing, and recovers with the database. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { call, expectStatus } from './support/api.ts';
import { listen } from './support/events.ts';
import { asGuest, deviceCheck, deviceTokenOf, ENDLESS, newGuest, sandboxModel } from './support/guest.ts';
import { type DatabaseProxy, startDatabaseProxy } from './support/proxy.ts';
import { refresh, VERSION } from './support/refresh.ts';
import { assertRefused } from './support/refusal.ts';
import { labelOf, USER_ROUTES } from './support/routes.ts';
import { OWN_SERVER, useServer } from './support/target.ts';
import { until } from './support/until.ts';

/** Clients give up a call after this long; load balancers a check. Both with room for a busy machine. */
const SILENT_MAX_SECONDS = 20;
const READY_MAX_SECONDS = 8;

describe('the database is unreachable', OWN_SERVER, () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  const server = useServer(async () => {
    database = await createTestDatabase();
    proxy = await startDatabaseProxy(database.url);
    return { DATABASE_URL: proxy.url, LOG_LEVEL: 'silent' };
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  const isReady = async () => (await call(server.url, 'GET', '/readyz')).status;
  const ready = () => until(isReady, (status) => status === 200, 'readiness', 30_000);

  test('every route answers 503 with ERR_6001, and nothing is lost or granted', async () => {
    const guest = await newGuest(server.url);
    const model = await sandboxModel(server.url);
    const { job_id } = await guest.start();
    const key = randomUUID();
    proxy.cut();
    try {
      for (const route of USER_ROUTES) {
        const reply = await call(server.url, route.method, route.name + (route.query ?? ''), {
          token: guest.token,
          body: route.body,
          headers: { 'Idempotency-Key': randomUUID() },
        });
        assert.equal(reply.status, 503, labelOf(route));
        assertRefused(reply, 503, 'ERR_6001');
      }
      assertRefused(await call(server.url, 'GET', 'get-models'), 503, 'ERR_6001');
      const body = { device_id: randomUUID(), device_token: deviceTokenOf(randomUUID()) };
      assertRefused(await deviceCheck(server.url, body), 503, 'ERR_6001');
      const generation = { model_id: model.id, prompt: ENDLESS };
      assertRefused(await guest.generate(generation, key), 503, 'ERR_6001');

      assertRefused(await call(server.url, 'GET', 'get-user-credits'), 401, 'ERR_4005');
      assertRefused(await call(server.url, 'GET', '/nowhere'), 404, 'ERR_4007');
      expectStatus(await call(server.url, 'GET', '/healthz'), 200);
      const readiness = await call(server.url, 'GET', '/readyz');
      assert.equal(readiness.status, 503);
      assert.doesNotMatch(readiness.text, /127\.0\.0\.1|postgres:|ECONN|password/);
    } finally {
      proxy.restore();
    }
    await ready();
    assert.equal(await guest.balance(), 9);
    expectStatus(await guest.generate({}, key), 200);
    assert.equal(await guest.balance(), 8);
    await guest.waitFor(job_id, ['processing']);
  });

  test('a refresh is never refused with 4xx, and the same token works when the database is back', async () => {
    const guest = await newGuest(server.url);
    for (const headers of [{}, VERSION]) {
      proxy.cut();
      try {
        for (const token of [guest.refreshToken, 'unknown']) {
          const reply = await refresh(server.url, token, { headers });
          assert.ok([500, 502, 503, 504].includes(reply.status), `${reply.status} ${reply.text}`);
        }
      } finally {
        proxy.restore();
      }
      await ready();
    }
    const session = expectStatus(await refresh(server.url, guest.refreshToken), 200).body;
    assert.equal(session.user.id, guest.userId);
  });

  test('a database that stops answering: every call gets 503 within 20 s, and no session ends', async () => {
    const guest = await newGuest(server.url);
    proxy.freeze();
    try {
      const timed = async <T>(work: () => Promise<T>) => {
        const began = performance.now();
        return { result: await work(), seconds: (performance.now() - began) / 1_000 };
      };
      const calls = await Promise.all([
        ...Array.from({ length: 5 }, () => timed(() => refresh(server.url, guest.refreshToken))),
        ...Array.from({ length: 12 }, () =>
          timed(() => call(server.url, 'GET', 'get-user-credits', { token: guest.token })),
        ),
        timed(() => guest.generate()),
      ]);
      for (const { result, seconds } of calls) {
        assert.equal(result.status, 503, result.text);
        assert.ok(seconds < SILENT_MAX_SECONDS, `${seconds} s`);
      }
      const readiness = await timed(() => call(server.url, 'GET', '/readyz'));
      assert.equal(readiness.result.status, 503);
      assert.ok(readiness.seconds < READY_MAX_SECONDS, `${readiness.seconds} s`);
      expectStatus(await call(server.url, 'GET', '/healthz'), 200);
    } finally {
      proxy.restore();
    }
    await ready();
    assert.equal(expectStatus(await refresh(server.url, guest.refreshToken), 200).body.user.id, guest.userId);
    assert.equal(await guest.balance(), 10);
  });

  test('the worker and the event streams recover without a restart', async () => {
    const guest = await newGuest(server.url);
    const { job_id } = await guest.start();
    await guest.waitFor(job_id, ['processing']);
    await using reader = await listen(guest);
    const first = await reader.until(({ event }) => event === 'processing');
    proxy.cut();
    await until(isReady, (status) => status === 503, 'outage');
    proxy.restore();
    await ready();
    const lastId = reader.seen.at(-1)?.id ?? first.id;
    await using again = await listen(guest, { lastEventId: lastId });
    const back = asGuest(server.url, { user_id: guest.userId, access_token: guest.token, refresh_token: '' });
    await back.cancel(job_id);
    await again.until(({ event, data }) => event === 'failed' && data.job_id === job_id);
    const second = await back.start({ prompt: '[sandbox:fail] after the storm' });
    await back.waitFor(second.job_id, ['failed'], 40_000);
    await again.until(({ event, data }) => event === 'failed' && data.job_id === second.job_id, 40_000);
    assert.equal(await back.balance(), 10);
  });
});
