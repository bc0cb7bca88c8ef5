/** Rate limits: what they count, for how long, and how an answer reports them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { startTestServer } from '../support/server.ts';
import { call, expectStatus, type Reply, urlOf } from './support/api.ts';
import { deviceCheck, deviceTokenOf, ENDLESS, FAILING, type Guest, newGuest, sandboxModel } from './support/guest.ts';
import { rawCall } from './support/raw.ts';
import { refresh, VERSION } from './support/refresh.ts';
import { assertRefused } from './support/refusal.ts';
import { OWN_SERVER, useServer, useTarget } from './support/target.ts';

const target = useTarget();

type State = { name: string; quota: number; windowSeconds: number | null; remaining: number; resetSeconds: number };

/** Reads the two RateLimit headers of the IETF draft; fails if one is missing or not in the contract's form. */
function stateOf({ headers }: Pick<Reply<unknown>, 'headers'>): State {
  const policy = /^"([a-z-]+)";q=(\d+)(?:;w=(\d+))?$/.exec(headers.get('ratelimit-policy') ?? '');
  const state = /^"([a-z-]+)";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '');
  assert.ok(policy, `RateLimit-Policy: ${headers.get('ratelimit-policy')}`);
  assert.ok(state, `RateLimit: ${headers.get('ratelimit')}`);
  assert.equal(policy[1], state[1]);
  return {
    name: String(policy[1]),
    quota: Number(policy[2]),
    windowSeconds: policy[3] === undefined ? null : Number(policy[3]),
    remaining: Number(state[2]),
    resetSeconds: Number(state[3]),
  };
}

/** Asserts a 429 that says in every promised way when to retry. */
function assertLimited(reply: Reply<unknown>, quota: number, windowSeconds: number | null): void {
  const details = assertRefused(reply, 429, 'ERR_4004');
  const retryAfter = reply.headers.get('retry-after') ?? '';
  assert.match(retryAfter, /^[1-9]\d*$/);
  assert.equal(details.retry_after, Number(retryAfter));
  const state = stateOf(reply);
  assert.deepEqual([state.quota, state.windowSeconds, state.remaining], [quota, windowSeconds, 0]);
  if (windowSeconds !== null) assert.ok(Number(retryAfter) <= windowSeconds);
}

/** The header by which the trusted proxy passes on a new IP address. */
let ipCount = 0;
function fromNewIp(): { 'X-Forwarded-For': string } {
  ipCount += 1;
  return { 'X-Forwarded-For': `203.0.113.${ipCount}` };
}

describe('per account', OWN_SERVER, () => {
  const server = useServer({
    RATE_LIMIT_GENERATIONS_PER_HOUR: '3',
    RATE_LIMIT_CALLS_PER_MINUTE: '200',
    TRUSTED_PROXY_HOPS: '1',
    WORKER: 'off',
  });

  test('generations are counted, reported and refused; each account has its own count', async () => {
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    for (const remaining of [2, 1, 0]) {
      const reply = expectStatus(await guest.generate({}, randomUUID(), { headers: fromNewIp() }), 200);
      const { resetSeconds, ...state } = stateOf(reply);
      assert.deepEqual(state, { name: 'generations', quota: 3, windowSeconds: 3600, remaining });
      assert.ok(resetSeconds > 3500 && resetSeconds <= 3600);
    }
    const refused = await guest.generate({}, randomUUID(), { headers: fromNewIp() });
    assertLimited(refused, 3, 3600);
    assert.equal(stateOf(refused).name, 'generations');
    assert.equal(await guest.balance(), 7);
    const other = await newGuest(server.url, { headers: fromNewIp() });
    expectStatus(await other.generate({}, randomUUID(), { headers: fromNewIp() }), 200);
  });

  test('neither cancelling nor deleting reduces the count', async () => {
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    for (let count = 0; count < 3; count += 1) {
      const { job_id } = expectStatus(await guest.generate({}, randomUUID(), { headers: fromNewIp() }), 200).body;
      await guest.cancel(job_id);
      expectStatus(await guest.post('delete-video-job', { job_id }), 200);
    }
    assert.equal(await guest.balance(), 10);
    assertLimited(await guest.generate({}, randomUUID(), { headers: fromNewIp() }), 3, 3600);
  });

  test('refused requests are not counted, and a repeat is answered even at the limit', async () => {
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    for (let count = 0; count < 5; count += 1) {
      assertRefused(await guest.generate({ prompt: 'a' }), 400, 'ERR_4003');
      assertRefused(await guest.generate({ settings: { duration: 99 } }), 400, 'ERR_4006');
    }
    const key = randomUUID();
    const first = expectStatus(await guest.generate({}, key), 200);
    for (let count = 0; count < 5; count += 1) assert.equal((await guest.generate({}, key)).text, first.text);
    expectStatus(await guest.generate(), 200);
    expectStatus(await guest.generate(), 200);
    assertLimited(await guest.generate(), 3, 3600);
    const again = await guest.generate({}, key);
    assert.deepEqual([again.status, again.text, again.headers.get('x-idempotent-replay')], [200, first.text, 'true']);
    const fresh = randomUUID();
    assertLimited(await guest.generate({}, fresh), 3, 3600);
    assertRefused(await guest.generate({ prompt: `${ENDLESS}!` }, key), 422, 'ERR_4009');
  });

  test('ten concurrent calls get no more videos than the limit allows', async () => {
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    const headers = fromNewIp();
    const replies = await Promise.all(Array.from({ length: 10 }, () => guest.generate({}, randomUUID(), { headers })));
    assert.equal(replies.filter(({ status }) => status === 200).length, 3);
    for (const reply of replies.filter(({ status }) => status !== 200)) assertLimited(reply, 3, 3600);
    assert.equal(await guest.balance(), 7);
  });

  test('polling still works at the limit of generations', async () => {
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    const headers = fromNewIp();
    const jobs = await Promise.all(
      Array.from(
        { length: 3 },
        async () => expectStatus(await guest.generate({}, randomUUID(), { headers }), 200).body,
      ),
    );
    assertLimited(await guest.generate({}, randomUUID(), { headers }), 3, 3600);
    const [job] = jobs;
    for (let count = 0; count < 60; count += 1) {
      expectStatus(await guest.get(`get-video-status?job_id=${job?.job_id}`, { headers }), 200);
    }
    await guest.cancel(job?.job_id ?? '');
  });

  test('other calls are counted per minute, reported and refused, all kinds of them together', async () => {
    const [guest, other] = [
      await newGuest(server.url, { headers: fromNewIp() }),
      await newGuest(server.url, { headers: fromNewIp() }),
    ];
    const first = expectStatus(await guest.get('get-user-credits'), 200);
    const { resetSeconds, ...state } = stateOf(first);
    assert.deepEqual([state.quota, state.windowSeconds, state.remaining], [200, 60, 199]);
    assert.ok(resetSeconds <= 60);
    const paths = ['get-user-credits', 'get-user-profile', 'get-video-jobs', `get-video-status?job_id=${randomUUID()}`];
    const replies = await Promise.all(Array.from({ length: 199 }, (_, index) => guest.get(paths[index % 4] ?? '')));
    assert.ok(replies.every(({ status }) => status === 200 || status === 404));
    for (const path of paths) assertLimited(await guest.get(path), 200, 60);
    assertLimited(await guest.post('update-user-profile', { language: 'tr' }), 200, 60);
    assertLimited(await guest.get('job-events'), 200, 60);
    expectStatus(await other.get('get-user-credits'), 200);
    expectStatus(await call(server.url, 'GET', 'get-models', { token: guest.token }), 200);
  });
});

describe('in flight', OWN_SERVER, () => {
  const server = useServer({ RATE_LIMIT_GENERATIONS_IN_FLIGHT: '2', WORKER: 'off' });

  test('two videos at once and no more; the end of one allows the next', async () => {
    const guest = await newGuest(server.url);
    const replies = await Promise.all(Array.from({ length: 6 }, () => guest.generate()));
    const running = replies.filter(({ status }) => status === 200);
    assert.equal(running.length, 2);
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      const details = assertRefused(reply, 429, 'ERR_4004');
      assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
      assert.equal(details.retry_after, Number(reply.headers.get('retry-after')));
      assert.equal(stateOf(reply).quota, 2);
    }
    assert.equal(await guest.balance(), 8);
    await guest.cancel(running[0]?.body.job_id ?? '');
    expectStatus(await guest.generate(), 200);
    assert.equal((await guest.generate()).status, 429);
    expectStatus(await (await newGuest(server.url)).generate(), 200);
  });
});

describe('per IP address', OWN_SERVER, () => {
  const server = useServer({
    RATE_LIMIT_GENERATIONS_PER_HOUR_PER_ADDRESS: '3',
    RATE_LIMIT_ONBOARDING_PER_HOUR: '2',
    RATE_LIMIT_AUTH_PER_5_MINUTES: '3',
    TRUSTED_PROXY_HOPS: '1',
    WORKER: 'off',
  });
  const onboard = (headers: Record<string, string>, body: object = {}) =>
    deviceCheck(
      server.url,
      { device_id: randomUUID(), device_token: deviceTokenOf(randomUUID()), ...body },
      { headers },
    );

  test('URLs are those of the proxy that is trusted, not of the port behind it', async () => {
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com' };
    const urlWith = async (sent: Record<string, string>) => {
      const reply = await call<{ servers: { url: string }[] }>(server.url, 'GET', '/openapi.json', { headers: sent });
      return reply.body.servers[0]?.url;
    };
    assert.equal(await urlWith(headers), 'https://api.example.com');
    assert.equal(await urlWith({}), server.url);
  });

  test('generations of all accounts behind one IP address are counted together', async () => {
    const ip = fromNewIp();
    const guests: Guest[] = [];
    for (let count = 0; count < 4; count += 1) guests.push(await newGuest(server.url, { headers: fromNewIp() }));
    for (const guest of guests.slice(0, 3)) expectStatus(await guest.generate({}, randomUUID(), { headers: ip }), 200);
    const last = guests[3];
    assert.ok(last);
    assertLimited(await last.generate({}, randomUUID(), { headers: ip }), 3, 3600);
    assert.equal(await last.balance(), 10);
    expectStatus(await last.generate({}, randomUUID(), { headers: fromNewIp() }), 200);
  });

  test('onboarding is counted per IP address, also when Apple refuses the device, and reported', async () => {
    const ip = fromNewIp();
    const first = expectStatus(await onboard(ip), 200);
    const { name: _, resetSeconds, ...state } = stateOf(first);
    assert.deepEqual(state, { quota: 2, windowSeconds: 3600, remaining: 1 });
    assert.ok(resetSeconds <= 3600);
    assertRefused(await onboard(ip, { device_token: btoa('invalid') }), 403, 'ERR_4010');
    assertLimited(await onboard(ip), 2, 3600);
    expectStatus(await onboard(fromNewIp()), 200);
  });

  test('sign-in and refresh are counted per IP address, and refused in the error format of the Supabase clients', async () => {
    const ip = fromNewIp();
    const guest = await newGuest(server.url, { headers: fromNewIp() });
    const first = expectStatus(await refresh(server.url, guest.refreshToken, { headers: ip }), 200);
    assert.deepEqual([stateOf(first).quota, stateOf(first).windowSeconds], [3, 300]);
    assert.equal((await refresh(server.url, 'x', { headers: ip })).status, 400);
    assert.equal((await refresh(server.url, 'y', { headers: ip })).status, 400);
    for (const version of [{}, VERSION]) {
      const reply = expectStatus(
        await refresh(server.url, first.body.refresh_token, { headers: { ...ip, ...version } }),
        429,
      );
      assert.equal(reply.headers.get('x-sb-error-code'), 'over_request_rate_limit');
      assert.equal(version === VERSION ? reply.body.code : reply.body.error_code, 'over_request_rate_limit');
      assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
      assert.deepEqual([stateOf(reply).quota, stateOf(reply).remaining], [3, 0]);
    }
    expectStatus(await refresh(server.url, first.body.refresh_token, { headers: fromNewIp() }), 200);
  });

  test('the IP address is the last that the trusted proxy added, whatever the client sent before it', async () => {
    const real = `198.51.100.${process.pid % 200}`;
    for (const spoofed of ['1.1.1.1, ', '2.2.2.2, 3.3.3.3, ']) {
      expectStatus(await onboard({ 'X-Forwarded-For': spoofed + real }), 200);
    }
    for (const spoofed of ['4.4.4.4, ', '', 'garbage, ', ',,,', '::1, ']) {
      assertLimited(await onboard({ 'X-Forwarded-For': spoofed + real }), 2, 3600);
    }
    assertLimited(await onboard({ 'X-Forwarded-For': `${real}:4711` }), 2, 3600);
    assertLimited(await onboard({ 'X-Forwarded-For': `::ffff:${real}` }), 2, 3600);
  });

  test('IPv6 addresses of one /64 network count as one IP address', async () => {
    const network = `2001:db8:${(process.pid % 0xffff).toString(16)}:7`;
    expectStatus(await onboard({ 'X-Forwarded-For': `${network}::1` }), 200);
    expectStatus(await onboard({ 'X-Forwarded-For': `${network}:aaaa:bbbb:cccc:dddd` }), 200);
    assertLimited(await onboard({ 'X-Forwarded-For': `[${network}::2]:4711` }), 2, 3600);
    expectStatus(await onboard({ 'X-Forwarded-For': `${network.slice(0, -1)}8::1` }), 200);
  });

  test('an IP address that cannot be parsed is replaced by the socket’s', async () => {
    const replies = [];
    for (const header of ['nonsense', '999.1.1.1', "1.1.1.1' or 1=1", '::::'])
      replies.push(await onboard({ 'X-Forwarded-For': header }));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 429, 429],
    );
  });
});

describe('without a trusted proxy', OWN_SERVER, () => {
  const server = useServer({ RATE_LIMIT_ONBOARDING_PER_HOUR: '2', WORKER: 'off' });

  test('X-Forwarded-For is ignored: the IP address is the socket’s', async () => {
    const { port } = new URL(server.url);
    const url = urlOf(`http://127.0.0.1:${port}`, 'device-check');
    const onboard = (localAddress: string, forwarded: string) => {
      const body = JSON.stringify({ device_id: randomUUID(), device_token: deviceTokenOf(randomUUID()) });
      const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': forwarded };
      return rawCall(url, 'POST', { headers, chunks: [body], localAddress });
    };
    const statuses: number[] = [];
    for (const forwarded of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4, 5.5.5.5']) {
      statuses.push((await onboard('127.0.0.1', forwarded)).status);
    }
    assert.deepEqual(statuses, [200, 200, 429, 429]);
    assert.equal((await onboard('127.0.0.2', '1.1.1.1')).status, 200);
  });
});

describe('a generation stays counted', OWN_SERVER, () => {
  test('when the video fails, and when the server restarts', async () => {
    const env = { RATE_LIMIT_GENERATIONS_PER_HOUR: '2' };
    await using server = await startTestServer({ env });
    const guest = await newGuest(server.url);
    for (let count = 0; count < 2; count += 1) {
      const { job_id } = await guest.start({ prompt: FAILING });
      await guest.waitFor(job_id, ['failed']);
    }
    assert.equal(await guest.balance(), 10);
    assertLimited(await guest.generate(), 2, 3600);
    await server.kill('SIGKILL');
    const { port } = new URL(server.url);
    await using again = await startTestServer({ env: { ...env, DATA_DIR: server.dataDir, PORT: port } });
    const body = { model_id: (await sandboxModel(again.url)).id, prompt: ENDLESS };
    const headers = { 'Idempotency-Key': randomUUID() };
    assertLimited(await call(again.url, 'POST', 'generate-video', { token: guest.token, body, headers }), 2, 3600);
    assert.equal(await guest.balance(), 10);
  });
});

describe('the defaults', () => {
  test('are a hundred times as high in development', OWN_SERVER, async () => {
    const guest = await newGuest(target.url);
    const reply = expectStatus(await guest.generate(), 200);
    assert.equal(stateOf(reply).quota, 1000);
    await guest.cancel(reply.body.job_id);
    assert.equal(stateOf(await guest.get('get-user-credits')).quota, 60_000);
    const onboarded = await deviceCheck(target.url, {
      device_id: randomUUID(),
      device_token: deviceTokenOf(randomUUID()),
    });
    assert.equal(stateOf(onboarded).quota, 3000);
    assert.equal(stateOf(await refresh(target.url, guest.refreshToken)).quota, 15_000);
  });
});
