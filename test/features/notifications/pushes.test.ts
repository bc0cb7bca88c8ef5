/** Pushes: which devices get which, once, whatever happens to the device, its account and the video meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { PlanInput } from '../../../sim/apns/plans.ts';
import { allTasks } from '../../../src/app/tasks.ts';
import { alertMessage } from '../../../src/features/maintenance/worker/alert-message.ts';
import { registerPushToken, unregisterPushToken } from '../../../src/features/notifications/push-token.ts';
import { newAdministrator } from '../../support/administrators.ts';
import { openApns, type TestApns } from '../../support/apns.ts';
import { createPeople, newSub, type People, type Person } from '../../support/people.ts';

const signal = new AbortController().signal;
const newToken = () => `${randomUUID()}${randomUUID()}`.replaceAll('-', '');

type PushRow = {
  id: string;
  kind: string;
  state: string;
  attempts: number;
  last_error: string | null;
  user_id: string;
};

describe('pushes', () => {
  let apns: TestApns;
  let people: People;
  before(async () => {
    apns = await openApns();
    people = await createPeople({ env: apns.env });
  });
  after(async () => {
    await people[Symbol.asyncDispose]();
    await apns[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    apns.controls.clearPlans();
    people.app.vendor.script({ status: ['complete'] });
    await people.rows('delete from graphile_worker._private_jobs');
  });

  const send = (method: string, token: string, body: object) =>
    people.app.fetch('/functions/v1/register-push-token', {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  async function register(person: Pick<Person, 'token'>, token = newToken(), environment = 'production') {
    const response = await send('POST', person.token, { token, environment });
    assert.equal(response.status, 200, await response.clone().text());
    assert.deepEqual(await response.json(), { success: true });
    return token;
  }
  const tokensOf = async ({ id }: Pick<Person, 'id'>) =>
    (await people.rows('select token from push_tokens where user_id = $1 order by registered_at, id', [id])).map(
      ({ token }) => token,
    );
  const pushesOf = async (jobId: string) =>
    (await people.rows(
      'select id, kind, state, attempts, last_error, user_id from pushes where job_id = $1 order by kind',
      [jobId],
    )) as PushRow[];
  const pushOf = async (jobId: string) => {
    const [push, ...others] = await pushesOf(jobId);
    assert.ok(push && others.length === 0);
    return push;
  };
  const received = async (jobId: string) =>
    (await apns.controls.pushes()).filter(({ payload }) => payload.job_id === jobId);
  const run = (pushId: string) => allTasks(people.app.ctx).send_push?.({ push_id: pushId }, { signal, attempt: 1 });
  const nextTask = async (pushId: string) => {
    const [task] = await people.rows(
      `select extract(epoch from run_at - now())::float as seconds from graphile_worker.jobs where key = $1`,
      [`push:${pushId}`],
    );
    return task ? Number(task.seconds) : null;
  };
  /** A job with its push, which has not been sent yet. */
  async function scheduled(person: Person, kind: 'video_ready' | 'video_failed' = 'video_ready') {
    const jobId = await people.app.generate(person.id);
    await people.rows('select schedule_pushes($1, $2, $3)', [person.id, jobId, kind]);
    return { jobId, push: await pushOf(jobId) };
  }
  async function guestWithDevice() {
    const person = await people.guest();
    return { person, token: await register(person) };
  }

  it('a finished video tells each device of its owner, once, in the account’s language and without the prompt', async () => {
    const person = await people.guest();
    const [phone, tablet] = [await register(person), await register(person, newToken(), 'sandbox')];
    await people.call(person.token, 'update-user-profile', { language: 'tr' });
    const jobId = await people.app.generate(person.id);
    assert.deepEqual(await people.app.drain(), []);
    assert.equal((await people.app.job(jobId)).status, 'completed');
    const got = await received(jobId);
    assert.deepEqual(got.map(({ token }) => token).sort(), [phone, tablet].sort());
    for (const { payload, collapseId, id } of got) {
      assert.deepEqual(payload, {
        job_id: jobId,
        kind: 'video_ready',
        aps: {
          alert: { title: 'Videonuz hazır', body: 'İzlemek için dokunun.' },
          sound: 'default',
          'thread-id': 'videos',
        },
      });
      assert.equal(collapseId, jobId);
      assert.ok((await pushesOf(jobId)).some((push) => push.id === id && push.state === 'sent'));
    }
    // Whatever is repeated: the event, the task, both.
    await people.rows(`select schedule_pushes($1, $2, 'video_ready')`, [person.id, jobId]);
    for (const { id } of got) await run(id);
    await people.app.drain();
    assert.deepEqual(
      (await received(jobId)).map(({ copies }) => copies),
      [1, 1],
    );
  });

  it('a failed video tells that its credits are back; a cancelled one tells nothing', async () => {
    const { person } = await guestWithDevice();
    await people.call(person.token, 'update-user-profile', { language: 'es' });
    const price = await people.app.balance(person.id);
    people.app.vendor.script({ status: [{ state: 'failed', failure: 'declined', cause: 'no' } as never] });
    const jobId = await people.app.generate(person.id);
    const cost = price - (await people.app.balance(person.id));
    await people.rows(`select fail_generation($1, 'ERR_5003')`, [jobId]);
    await people.app.drain();
    const [got] = await received(jobId);
    assert.deepEqual(Object(got?.payload.aps).alert, {
      title: 'No se pudo crear tu vídeo',
      body: `No se te ha cobrado: ${cost} crédito${cost === 1 ? ' ha' : 's han'} vuelto a tu saldo.`,
    });
    const cancelled = await people.app.generate(person.id);
    assert.equal((await people.call(person.token, 'cancel-video-job', { job_id: cancelled })).status, 200);
    assert.deepEqual(await pushesOf(cancelled), []);
  });

  it('an account without a device costs nothing', async () => {
    const person = await people.guest();
    const jobId = await people.app.generate(person.id);
    await people.app.drain();
    assert.deepEqual(await pushesOf(jobId), []);
  });

  it('each outcome has one consequence', async () => {
    const hourAgo = Date.now() - 3_600_000;
    const cases: [PlanInput, { state: string; error: string; keepsToken: boolean; waits?: [number, number] }][] = [
      [
        { status: 410, reason: 'Unregistered', timestamp: Date.now() + 60_000 },
        { state: 'failed', error: '410 Unregistered', keepsToken: false },
      ],
      // Registered since.
      [
        { status: 410, reason: 'Unregistered', timestamp: hourAgo },
        { state: 'failed', error: '410 Unregistered', keepsToken: true },
      ],
      [{ status: 410 }, { state: 'failed', error: '410 without a reason', keepsToken: false }],
      [
        { status: 400, reason: 'BadDeviceToken' },
        { state: 'failed', error: '400 BadDeviceToken', keepsToken: false },
      ],
      [
        { status: 400, reason: 'DeviceTokenNotForTopic' },
        { state: 'failed', error: '400 DeviceTokenNotForTopic', keepsToken: false },
      ],
      [
        { status: 400, reason: 'BadTopic' },
        { state: 'failed', error: '400 BadTopic', keepsToken: true },
      ],
      [
        { status: 503, reason: 'ServiceUnavailable' },
        { state: 'pending', error: '503 ServiceUnavailable', keepsToken: true, waits: [4, 7] },
      ],
      [
        { status: 429, reason: 'TooManyRequests', retryAfter: '600' },
        { state: 'pending', error: '429 TooManyRequests', keepsToken: true, waits: [590, 601] },
      ],
      [
        { status: 429, reason: 'TooManyRequests', retryAfter: '99999999' },
        { state: 'failed', error: '429 TooManyRequests', keepsToken: true },
      ],
      [{ silence: 'cut' }, { state: 'pending', error: 'no answer: ', keepsToken: true, waits: [4, 7] }],
      [
        { status: 403, reason: 'Forbidden' },
        { state: 'pending', error: '403 Forbidden', keepsToken: true, waits: [59, 76] },
      ],
    ];
    for (const [plan, { state, error, keepsToken, waits }] of cases) {
      const { person, token } = await guestWithDevice();
      const { jobId, push } = await scheduled(person);
      apns.controls.plan({ ...plan, token });
      await people.rows('delete from graphile_worker._private_jobs where key = $1', [`push:${push.id}`]);
      await run(push.id);
      const after = await pushOf(jobId);
      assert.deepEqual([after.state, after.attempts], [state, 1], error);
      assert.ok(after.last_error?.startsWith(error), `${after.last_error}`);
      assert.deepEqual(await tokensOf(person), keepsToken ? [token] : [], error);
      const seconds = await nextTask(push.id);
      if (!waits) assert.equal(seconds, null, error);
      else assert.ok(seconds !== null && seconds > waits[0] && seconds < waits[1], `${error}: ${seconds}`);
    }
    const alerts = await people.rows(`select subject from alerts where kind = 'store_key'`);
    assert.deepEqual(alerts, [{ subject: 'apns' }]);
    const { title, text } = alertMessage({ kind: 'store_key', subject: 'apns', details: {} });
    assert.match(`${title} ${text}`, /key for pushes.*APPLE_APNS_KEY_ID/s);
  });

  it('a device that was registered again while Apple refused it stays', async () => {
    const { person, token } = await guestWithDevice();
    const { push } = await scheduled(person);
    const [{ registered_at } = {}] = await people.rows('select registered_at from push_tokens where token = $1', [
      token,
    ]);
    await people.rows(`update push_tokens set registered_at = registered_at + interval '1 second' where token = $1`, [
      token,
    ]);
    await people.app.ctx.db.call('finish_push', {
      ...{
        push_id: push.id,
        outcome: 'token_gone',
        reason: '400 BadDeviceToken',
        registered_at: registered_at as Date,
      },
    });
    assert.deepEqual(await tokensOf(person), [token]);
  });

  it('after a failure the same push is sent again, and a worker that is shut down leaves it in the queue', async () => {
    const { person, token } = await guestWithDevice();
    const { jobId, push } = await scheduled(person);
    const task = allTasks(people.app.ctx).send_push;
    const stopped = AbortSignal.abort(new Error('shutting down'));
    await assert.rejects(async () => task?.({ push_id: push.id }, { signal: stopped, attempt: 1 }), /shutting down/);
    assert.equal((await pushOf(jobId)).attempts, 0);
    apns.controls.plan({ token, status: 500, reason: 'InternalServerError', isDelivered: true });
    await people.app.drain();
    assert.equal((await pushOf(jobId)).state, 'pending');
    await people.app.makeAllDue();
    await people.app.drain();
    assert.equal((await pushOf(jobId)).state, 'sent');
    const [got, ...others] = await received(jobId);
    assert.deepEqual([got?.id, got?.copies, others.length], [push.id, 2, 0]);
  });

  it('nothing is sent that must not be sent any more', async () => {
    const obstacles: [string, (person: Person, jobId: string, token: string) => Promise<unknown>][] = [
      [
        'the video is deleted',
        async ({ token }, id) => {
          await people.call(token, 'cancel-video-job', { job_id: id });
          assert.equal((await people.call(token, 'delete-video-job', { job_id: id })).status, 200);
        },
      ],
      [
        'the account is banned',
        ({ id }) => people.rows(`insert into user_bans (user_id, reason) values ($1, 'spam')`, [id]),
      ],
      [
        'the device is not registered any more',
        ({ token }, _, device) => send('DELETE', token, { token: device, environment: 'production' }),
      ],
      [
        'the device belongs to another account now',
        async (_person, _id, device) => register(await people.guest(), device),
      ],
      [
        'it is no news any more',
        (_, id) => people.rows(`update pushes set expires_at = now() - interval '1 second' where job_id = $1`, [id]),
      ],
    ];
    for (const [cause, occur] of obstacles) {
      const { person, token } = await guestWithDevice();
      const { jobId, push } = await scheduled(person);
      await occur(person, jobId, token);
      await run(push.id);
      const dropped = await pushOf(jobId);
      assert.deepEqual([dropped.state, dropped.last_error], ['dropped', cause]);
      assert.deepEqual(await received(jobId), [], cause);
    }
    const { person: gone } = await guestWithDevice();
    const { jobId: lost, push } = await scheduled(gone);
    await people.call(gone.token, 'delete-account', {});
    await run(push.id);
    assert.deepEqual([await tokensOf(gone), await pushesOf(lost), await received(lost)], [[], [], []]);
    const { person } = await guestWithDevice();
    await people.rows(`insert into user_bans (user_id, reason) values ($1, 'spam')`, [person.id]);
    const jobId = await people.app.generate((await people.guest()).id);
    await people.rows(`select schedule_pushes($1, $2, 'video_ready')`, [person.id, jobId]);
    assert.deepEqual(await pushesOf(jobId), [], 'a ban schedules nothing');
  });

  it('a token has one account, is stored in lower case, and an account has at most twenty', async () => {
    const [ada, bob] = [await people.guest(), await people.guest()];
    const token = newToken();
    await register(ada, token.toUpperCase());
    await register(ada, token, 'sandbox');
    assert.deepEqual(await tokensOf(ada), [token]);
    await register(bob, token);
    assert.deepEqual([await tokensOf(ada), await tokensOf(bob)], [[], [token]]);
    for (const _ of [1, 2]) {
      const response = await send('DELETE', ada.token, { token, environment: 'production' });
      assert.deepEqual([response.status, await response.json()], [200, { success: true }]);
    }
    assert.deepEqual(await tokensOf(bob), [token], 'another account cannot remove it');
    assert.equal((await send('DELETE', bob.token, { token: token.toUpperCase(), environment: 'sandbox' })).status, 200);
    assert.deepEqual(await tokensOf(bob), []);
    const many = [];
    for (let index = 0; index < 21; index += 1) many.push(await register(ada));
    assert.deepEqual(await tokensOf(ada), many.slice(1));
  });

  it('registrations, merges and sign-outs at once leave each token with one account, and none waits for another for ever', async () => {
    const sub = newSub();
    await people.appleUser(sub, 0);
    const shared = [newToken(), newToken(), newToken()];
    const guests = await Promise.all(Array.from({ length: 4 }, () => people.guest()));
    const work = guests.flatMap((guest, index) => [
      ...[...shared, ...shared].map((token) => send('POST', guest.token, { token, environment: 'sandbox' })),
      ...(index < 2 ? [people.merge(guest.token, { sub })] : []),
      ...(index === 3 ? [people.call(guest.token, '/auth/v1/logout?scope=global', {})] : []),
    ]);
    const statuses = new Set((await Promise.all(work)).map(({ status }) => status));
    for (const status of statuses) assert.ok([200, 204, 401].includes(status), `${status}`);
    const rows = await people.rows(
      `select t.token, s.revoked_at from push_tokens t join sessions s on s.id = t.session_id and s.user_id = t.user_id
       where t.token = any ($1)`,
      [shared],
    );
    const total = await people.rows('select token from push_tokens where token = any ($1)', [shared]);
    assert.equal(rows.length, total.length, 'each belongs to a session of its account');
    assert.ok(rows.every(({ revoked_at }) => revoked_at === null));
  });

  it('a malformed registration is refused with its field', async () => {
    const { token } = await people.guest();
    const good = newToken();
    const cases: [object, string][] = [
      [{ token: good.slice(1), environment: 'production' }, 'token'],
      [{ token: `${good}g`, environment: 'production' }, 'token'],
      [{ token: 'a'.repeat(201), environment: 'production' }, 'token'],
      [{ token: ` ${good}`, environment: 'production' }, 'token'],
      [{ token: null, environment: 'production' }, 'token'],
      [{ token: good }, 'environment'],
      [{ token: good, environment: 'development' }, 'environment'],
    ];
    for (const method of ['POST', 'DELETE']) {
      for (const [body, field] of cases) {
        const response = await send(method, token, body);
        const { error } = Object(await response.json());
        assert.deepEqual(
          [response.status, error.code, error.details.field],
          [400, 'ERR_4006', field],
          JSON.stringify(body),
        );
      }
      assert.equal((await send(method, 'no-token', { token: good, environment: 'sandbox' })).status, 401);
    }
    assert.equal((await send('POST', token, { token: 'a'.repeat(200), environment: 'sandbox' })).status, 200);
  });

  it('the end of a session, however it ends, forgets the devices that it registered, and no others', async () => {
    const ends: [string, (person: Person) => Promise<unknown>][] = [
      ['signing out', ({ token }) => people.call(token, '/auth/v1/logout?scope=local', {})],
      ['signing out everywhere', ({ token }) => people.call(token, '/auth/v1/logout?scope=global', {})],
      [
        'a stolen refresh token',
        async ({ refreshToken }) => {
          const first = await people.refresh(refreshToken);
          await people.refresh(first.body.refresh_token);
          return people.refresh(refreshToken);
        },
      ],
      [
        'the row’s removal',
        ({ id }) =>
          people.rows('delete from sessions where user_id = $1 and id in (select session_id from push_tokens)', [id]),
      ],
    ];
    for (const [cause, end] of ends) {
      const person = await people.guest();
      await register(person);
      const elsewhere = { token: await people.app.tokenOf(person.id) };
      const other = cause === 'signing out everywhere' ? null : await register(elsewhere);
      if (cause === 'the row’s removal')
        await people.rows('update push_tokens set session_id = null where token = $1', [other]);
      await end(person);
      assert.deepEqual(await tokensOf(person), other === null ? [] : [other], cause);
    }
    const person = await people.guest();
    await register(person);
    const kept = await register({ token: await people.app.tokenOf(person.id) });
    assert.equal((await people.call(person.token, '/auth/v1/logout?scope=local', {})).status, 204);
    assert.deepEqual(await tokensOf(person), [kept]);
    // A registration that was on its way when its session ended registers nothing.
    const [{ id: session } = {}] = await people.rows(
      'select id from sessions where user_id = $1 and revoked_at is not null',
      [person.id],
    );
    const late = { user_id: person.id, token: newToken(), environment: 'sandbox', session_id: String(session) };
    assert.equal(await people.app.ctx.db.call('register_push_token', late), 'signed_out');
  });

  it('a merge takes the devices and pushes along, and the phone keeps them when its old session is signed out', async () => {
    const sub = newSub();
    const survivor = await people.appleUser(sub, 0);
    const { person: guest, token } = await guestWithDevice();
    const { jobId, push } = await scheduled(guest);
    const merged = await people.merge(guest.token, { sub });
    assert.equal(merged.status, 200);
    assert.equal((await people.call(guest.token, '/auth/v1/logout?scope=local', {})).status, 204);
    assert.deepEqual(await tokensOf(survivor), [token]);
    await run(push.id);
    assert.equal((await received(jobId)).length, 1);
    assert.equal((await people.call(merged.body.session.access_token, '/auth/v1/logout?scope=local', {})).status, 204);
    assert.deepEqual(await tokensOf(survivor), []);
    // However many devices the guests had, the account keeps twenty.
    for (const _ of [1, 2]) {
      const many = await people.guest();
      await people.rows(
        `insert into push_tokens (token, environment, user_id)
         select encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 'sandbox', $1 from generate_series(1, 15)`,
        [many.id],
      );
      assert.equal((await people.merge(many.token, { sub })).status, 200);
    }
    assert.equal((await tokensOf(survivor)).length, 20);
  });

  it('an administrator has a push sent once more, with the same id, and only while its device and video are there', async () => {
    const { person, token } = await guestWithDevice();
    const { jobId, push } = await scheduled(person);
    await people.app.drain();
    const administrator = await newAdministrator(people.app);
    const replay = async (id: string) =>
      (await administrator.call('admin-replay-delivery', { delivery_id: id, reason: 'It did not arrive.' })).status;
    assert.equal(await replay(push.id), 200);
    assert.equal(await replay(randomUUID()), 404);
    const actions = await people.rows('select action_type, target from admin_actions where target_user_id = $1', [
      person.id,
    ]);
    assert.deepEqual(actions, [{ action_type: 'push_replay', target: push.id }]);
    await people.app.drain();
    const [got, ...others] = await received(jobId);
    assert.deepEqual([got?.id, got?.copies, others.length], [push.id, 2, 0]);
    assert.equal((await pushOf(jobId)).state, 'sent');
    await send('DELETE', person.token, { token, environment: 'production' });
    assert.equal(await replay(push.id), 200);
    await people.app.drain();
    assert.equal((await pushOf(jobId)).state, 'dropped');
  });

  it('a push service that hangs holds half of the worker’s slots, and no user waits for it', async () => {
    const { person } = await guestWithDevice();
    const { jobId, push } = await scheduled(person);
    const busy = { run: async () => ({ hasRun: false as const, retryAfterMs: 5_000 }) };
    await allTasks({ ...people.app.ctx, bulkhead: busy }).send_push?.({ push_id: push.id }, { signal, attempt: 1 });
    assert.deepEqual([(await pushOf(jobId)).state, (await pushOf(jobId)).attempts], ['pending', 0]);
    const seconds = await nextTask(push.id);
    assert.ok(seconds !== null && seconds > 4 && seconds < 6);
  });

  it('without a key, registration is 501 and what waits is dropped; a runtime that cannot send leaves it', async () => {
    const { person } = await guestWithDevice();
    const { jobId, push } = await scheduled(person);
    const elsewhere = { send: null, close: async () => {} };
    assert.equal(allTasks({ ...people.app.ctx, push: elsewhere }).send_push, undefined);
    await allTasks({ ...people.app.ctx, push: null }).send_push?.({ push_id: push.id }, { signal, attempt: 1 });
    assert.equal((await pushOf(jobId)).last_error, 'pushes are off');
    const off = { ...people.app.ctx, push: null };
    const device = { userId: person.id, sessionId: null, token: newToken(), environment: 'sandbox' as const };
    for (const verb of [registerPushToken, unregisterPushToken]) {
      await assert.rejects(() => verb(off, device), { code: 'ERR_4017', status: 501 });
    }
  });
});
