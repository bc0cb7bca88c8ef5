/** What providers say by themselves: verified, recorded once, and never believed beyond where to look. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { callbackUrls } from '../../../src/app/callback-url.ts';
import { findJob } from '../../../src/features/generations/worker/job.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { MediaFetchError } from '../../../src/media/fetch-media.ts';
import { fal } from '../../../src/providers/fal/manifest.ts';
import type { VideoProvider } from '../../../src/providers/provider.ts';
import { createTestApp, fakeProbe, type TestApp, type TestAppOptions } from '../../support/app.ts';
import { claimAttempt } from '../../support/procedures.ts';

const SECRET = 'a secret that a sender shares with us';
const PATH = '/functions/v1/webhook-delivery';

/** An app whose vendor sends webhooks, verified by a header; `env` sets the generic form's secret. */
async function openApp(vendor: TestAppOptions['vendor'] = {}): Promise<TestApp> {
  const app = await createTestApp({
    env: { WEBHOOK_SECRET: SECRET },
    vendor: { isRepeatable: false, pollIntervalMs: 60_000, ...vendor },
  });
  const sender: VideoProvider = {
    ...app.vendor.provider,
    webhooksFrom: 'fal',
    verifyWebhook: async ({ headers, body }) =>
      headers.get('x-genuine') === 'yes'
        ? { ok: true, eventId: null, providerJobId: requestIdIn(new TextDecoder().decode(body)) }
        : { ok: false, cause: 'forged' },
  };
  app.ctx.providers = new Map([['sandbox', sender]]);
  return app;
}

function requestIdIn(text: string): string | null {
  return text.startsWith('{') ? (JSON.parse(text).request_id ?? null) : null;
}

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** The vendor's own form, for our job `about`, naming its job `requestId`. */
async function tell(app: TestApp, about: string, requestId: string, headers: Record<string, string> = {}) {
  return app.fetch(`${PATH}?provider=fal&job=${about}`, {
    method: 'POST',
    headers: { 'x-genuine': 'yes', ...headers },
    body: JSON.stringify({ request_id: requestId, status: 'OK' }),
  });
}

type Signing = { secret?: string; at?: number | null; signs?: string; signature?: string };

async function tellSigned(app: TestApp, body: string, { secret = SECRET, at = null, signs, signature }: Signing = {}) {
  const signed = signs ?? (at === null ? body : `${at}.${body}`);
  const headers = {
    'X-Webhook-Signature': signature ?? createHmac('sha256', secret).update(signed).digest('hex'),
    ...(at === null ? {} : { 'X-Webhook-Timestamp': String(at) }),
  };
  return app.fetch(PATH, { method: 'POST', headers, body });
}

const eventAbout = (providerJobId: string, more: object = {}) =>
  JSON.stringify({ type: 'video.completed', data: { provider_job_id: providerJobId }, ...more });

async function events(app: TestApp): Promise<{ sender: string; effect: string }[]> {
  return (await app.owner.query('select sender, effect from provider_events order by id')).rows;
}

describe('an event in the generic form', () => {
  const running = { status: [{ state: 'processing', progress: 1 } as const, 'complete' as const] };

  it('makes the worker ask at once, instead of when its turn would have come', async () => {
    await using app = await openApp(running);
    const { jobId } = await begin(app);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'processing');
    const answer = await tellSigned(app, eventAbout(`vendor-${jobId}-1`));
    assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('is recorded once, by its id or by its body', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    const named = eventAbout(`vendor-${jobId}-1`, { id: 'evt_1' });
    const renamed = eventAbout(`vendor-${jobId}-1`, { id: 'evt_1', more: 'words' });
    const nameless = eventAbout(`vendor-${jobId}-1`);
    const looks: number[] = [];
    for (const body of [named, named, renamed, nameless, nameless]) {
      assert.equal((await tellSigned(app, body)).status, 200);
      await app.drain();
      looks.push(app.vendor.looks.length);
    }
    assert.deepEqual(looks, [2, 2, 2, 3, 3]);
    assert.equal((await events(app)).length, 2);
  });

  it('counts with a timestamp for five minutes, and only if that was signed too', async () => {
    await using app = await openApp(running);
    const nowSeconds = Math.floor(app.ctx.clock.now().getTime() / 1000);
    const body = eventAbout('somebody else’s');
    const statuses = async (...signings: Signing[]) =>
      Promise.all(signings.map(async (signing) => (await tellSigned(app, body, signing)).status));
    assert.deepEqual(
      await statuses({ at: nowSeconds }, { at: nowSeconds - 290 }, { at: nowSeconds + 290 }),
      [200, 200, 200],
    );
    assert.deepEqual(
      await statuses({ at: nowSeconds - 320 }, { at: nowSeconds + 320 }, { at: nowSeconds, signs: body }),
      [401, 401, 401],
    );
  });

  it('that is forged is 401 and changes nothing', async () => {
    await using app = await openApp(running);
    const { jobId } = await begin(app);
    await app.drain();
    const body = eventAbout(`vendor-${jobId}-1`);
    const right = createHmac('sha256', SECRET).update(body).digest('hex');
    for (const signing of [
      { secret: 'another' },
      { signature: right.toUpperCase() },
      { signature: '' },
      { signature: right.slice(0, 62) },
      { signs: `${body} ` },
    ]) {
      const answer = await tellSigned(app, body, signing);
      assert.deepEqual([answer.status, (await answer.json()).error.code], [401, 'ERR_4005'], JSON.stringify(signing));
    }
    assert.equal((await app.fetch(PATH, { method: 'POST', body })).status, 401);
    assert.deepEqual(await events(app), []);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'processing');

    await using silent = await createTestApp();
    assert.equal((await tellSigned(silent, body, { secret: '' })).status, 401, 'nobody signs with no secret');
  });

  it('with a good signature and a bad body names what is bad', async () => {
    await using app = await openApp();
    for (const [body, field] of [
      ['{"type":', 'body'],
      ['[]', 'body'],
      ['{"type":"video.paused","data":{"provider_job_id":"x"}}', 'type'],
      ['{"type":"video.failed","data":{}}', 'data.provider_job_id'],
      ['{"type":"video.failed","data":{"provider_job_id":"\\u0000"}}', 'data.provider_job_id'],
    ] as const) {
      const answer = await tellSigned(app, body);
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.code, error.details.field], [400, 'ERR_4006', field], body);
    }
    assert.equal((await tellSigned(app, 'x'.repeat(1024 * 1024 + 1))).status, 413);
    assert.deepEqual(await events(app), []);
  });

  it('about an unknown job or one of another provider is 200 and leaves nothing; about an ended one it has no effect', async () => {
    await using app = await openApp({ status: ['complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    const foreign = JSON.stringify({
      type: 'video.failed',
      data: { provider: 'runway', provider_job_id: `vendor-${jobId}-1` },
    });
    for (const body of [eventAbout(randomUUID()), foreign]) {
      const answer = await tellSigned(app, body);
      assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    }
    assert.deepEqual(await events(app), []);
    const ended = eventAbout(`vendor-${jobId}-1`, { type: 'video.failed' });
    assert.equal((await tellSigned(app, ended)).status, 200);
    assert.deepEqual(await events(app), [{ sender: 'signed', effect: 'ignored' }]);
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });
});

describe('a submit without an answer', () => {
  const lost = { outcome: 'unknown', cause: 'no answer' } as const;

  it('is known by an event that the provider confirms: the video comes, and nothing was sent twice', async () => {
    await using app = await openApp({ submit: [lost], status: ['complete'] });
    const { userId, jobId } = await begin(app);
    await app.drain();
    assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
    assert.equal((await tell(app, jobId, 'taken-after-all')).status, 200);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(
      [(await app.job(jobId)).status, (await app.job(jobId)).provider_job_id, await app.balance(userId)],
      ['completed', 'taken-after-all', 0],
    );
    assert.deepEqual(await app.attempts(jobId), [
      { attempt: 1, state: 'accepted', provider_job_id: 'taken-after-all' },
    ]);
    assert.deepEqual(app.vendor.submits, [jobId]);
    await app.assertSound();
  });

  it('is held against the provider only until it is known to have been taken', async () => {
    await using app = await openApp({ submit: [lost], status: [{ state: 'processing', progress: 1 }] });
    const failures = async () =>
      (await app.owner.query('select unanswered_jobs as jobs from provider_circuits')).rows[0].jobs;
    const { jobId } = await begin(app);
    await app.drain();
    assert.deepEqual(await failures(), [jobId]);
    await tell(app, jobId, 'taken-after-all');
    await app.drain();
    assert.deepEqual(await failures(), []);
  });

  it('stays unknown when our key knows no such job: a signed event may be another customer’s', async () => {
    await using app = await openApp({ submit: [lost], status: [{ state: 'absent', cause: '404' }] });
    const { userId, jobId } = await begin(app);
    await app.drain();
    assert.equal((await tell(app, jobId, 'somebody-elses')).status, 200);
    for (let looks = 0; looks < 5; looks += 1) {
      assert.deepEqual(await app.drain(), []);
      await app.hasten();
    }
    assert.equal(app.vendor.looks.length, 3, 'not for ever');
    assert.deepEqual([(await app.job(jobId)).status, await app.balance(userId)], ['pending', 0]);
    assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
  });

  it('stays unknown while the provider cannot be asked, and is asked again', async () => {
    await using app = await openApp({
      submit: [lost],
      status: [{ state: 'unreachable', cause: 'cut' }, 'complete'],
    });
    const { jobId } = await begin(app);
    await app.drain();
    await tell(app, jobId, 'taken-after-all');
    await app.drain();
    const [task] = await app.tasksOf(jobId);
    assert.deepEqual([task?.task, Math.ceil((task?.dueMs ?? 0) / 1000)], ['confirm_attempt', 5]);
    await app.hasten();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('is known by the second look where the provider’s machines have not all heard of the job at the first', async () => {
    await using app = await openApp({ submit: [lost], status: [{ state: 'absent', cause: '404' }, 'complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    await tell(app, jobId, 'taken-after-all');
    await app.drain();
    await app.hasten();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('is not given the job that another generation has', async () => {
    await using app = await openApp({ submit: ['accept', lost], status: [{ state: 'processing', progress: 1 }] });
    const first = await begin(app);
    await app.drain();
    const second = await begin(app);
    await app.drain();
    await tell(app, second.jobId, `vendor-${first.jobId}-1`);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual((await app.attempts(second.jobId))[0]?.state, 'unknown');
    assert.equal((await app.job(second.jobId)).provider_job_id, null);
    await app.ctx.db.call('confirm_attempt', { job_id: second.jobId, provider_job_id: `vendor-${first.jobId}-1` });
    assert.equal((await app.job(second.jobId)).provider_job_id, null, 'not even by a race');
  });

  it('for a job that was cancelled meanwhile is stopped at the provider once it is known', async () => {
    await using app = await openApp({ submit: [lost], status: [{ state: 'processing', progress: 1 }] });
    const { userId, jobId } = await begin(app);
    await app.drain();
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    await app.drain();
    assert.deepEqual(app.vendor.cancels, []);
    await tell(app, jobId, 'taken-after-all');
    await app.drain();
    assert.deepEqual([app.vendor.cancels, await app.balance(userId)], [[jobId], 1]);
    assert.equal((await app.job(jobId)).error_code, 'ERR_5004');
    await app.assertSound();
  });

  it('needs none: an event that overtakes the answer finds its job, and the answer changes nothing more', async () => {
    await using app = await openApp({ status: ['complete'] });
    const { jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          assert.equal((await tell(app, jobId, `vendor-${jobId}-1`)).status, 200);
          await app.ctx.db.call('confirm_attempt', { job_id: jobId, provider_job_id: `vendor-${jobId}-1` });
          return 'accept';
        },
      ],
    });
    assert.deepEqual(await app.drain(), []);
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.deepEqual((await app.attempts(jobId)).length, 1);
    assert.deepEqual((await events(app))[0]?.effect, 'unconfirmed');
    await app.assertSound();
  });
});

describe('a no that was none', () => {
  const refused = { outcome: 'retryable', cause: '503' } as const;

  /** The first send was taken although the answer was 503, and its event comes while the fourth and last is under way. */
  async function overtaken(last: 'accept' | typeof refused) {
    const app = await openApp({ submit: [refused], status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    for (let sends = 0; sends < 3; sends += 1) {
      await app.drain();
      await app.hasten();
    }
    app.vendor.script({
      submit: [
        async () => {
          await tell(app, jobId, 'the-first');
          await app.ctx.db.call('confirm_attempt', { job_id: jobId, provider_job_id: 'the-first' });
          return last;
        },
      ],
    });
    assert.deepEqual(await app.drain(), []);
    return { app, jobId };
  }

  it('leaves one video under way: the second that was taken is stopped at the provider', async () => {
    const { app, jobId } = await overtaken('accept');
    await using _ = app;
    assert.deepEqual([(await app.job(jobId)).provider_job_id, app.vendor.cancels], ['the-first', [jobId]]);
    assert.equal((await app.job(jobId)).status, 'processing');
  });

  it('does not end a generation that an event has brought good news of', async () => {
    const { app, jobId } = await overtaken(refused);
    await using _ = app;
    assert.deepEqual([(await app.job(jobId)).status, app.vendor.submits.length], ['processing', 4]);
  });
});

describe('a vendor’s own events', () => {
  it('a genuine event that is no JSON object is refused as such; one that names no job has no effect', async () => {
    await using app = await openApp();
    const { jobId } = await begin(app);
    const send = (body: string) =>
      app.fetch(`${PATH}?provider=fal&job=${jobId}`, { method: 'POST', headers: { 'x-genuine': 'yes' }, body });
    for (const body of ['not json', '[]', 'null', '"{}"']) {
      const response = await send(body);
      assert.equal(response.status, 400, body);
      assert.equal((await response.json()).error.code, 'ERR_4006', body);
    }
    assert.equal((await send('{}')).status, 200);
    const { rows } = await app.owner.query('select effect from provider_events');
    assert.deepEqual(rows, [{ effect: 'ignored' }]);
  });

  it('are verified by the vendor’s scheme alone: the generic signature opens nothing there', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    const body = eventAbout(`vendor-${jobId}-1`);
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const options = { method: 'POST', headers: { 'X-Webhook-Signature': signature }, body };
    assert.equal((await app.fetch(`${PATH}?provider=fal&job=${jobId}`, options)).status, 401);
    assert.equal((await tell(app, jobId, `vendor-${jobId}-1`, { 'x-genuine': 'no' })).status, 401);
    assert.deepEqual(await events(app), []);
  });

  it('about jobs of its other customers leave nothing behind, whatever they name', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await app.owner.query(`update video_jobs set provider = 'runway' where job_id = $1`, [jobId]);
    for (const [about, requestId] of [
      [randomUUID(), 'somebody-elses'],
      ['no-uuid', 'somebody-elses-too'],
      // Ours, and not for this sender to speak of.
      [jobId, `vendor-${jobId}-1`],
    ] as const) {
      const answer = await tell(app, about, requestId);
      assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    }
    assert.deepEqual(await events(app), []);
    await app.drain();
    assert.equal(app.vendor.looks.length, 1);
  });

  it('about a job of ours that has another name at the vendor are kept, and wake nobody', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await tell(app, jobId, 'another');
    await app.drain();
    assert.deepEqual(await events(app), [{ sender: 'fal', effect: 'ignored' }]);
    assert.equal(app.vendor.looks.length, 1);
  });

  it('that come before the job they name is known are heard when they come again', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    assert.equal((await tell(app, 'no-uuid', `vendor-${jobId}-1`)).status, 200);
    await app.drain();
    await tell(app, 'no-uuid', `vendor-${jobId}-1`);
    assert.deepEqual(await events(app), [{ sender: 'fal', effect: 'woke' }]);
  });

  it('about a job under another name are about the job that they name', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }, 'complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    assert.equal((await tell(app, 'no-uuid', `vendor-${jobId}-1`)).status, 200);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('are heard though the provider is just being asked: its next question is not put off again', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await tell(app, jobId, `vendor-${jobId}-1`);
    await app.ctx.db.call('schedule_poll', { job_id: jobId, delay_ms: 60_000 });
    const [task] = await app.tasksOf(jobId);
    assert.ok((task?.dueMs ?? 0) < 1_000, JSON.stringify(task));
  });

  it('come to an address that names our job, where the vendor can reach us', async () => {
    await using app = await openApp();
    const { jobId } = await begin(app);
    assert.equal((await findJob(app.ctx, jobId))?.request.webhookUrl, null);
    const reached = { ...app.ctx, callbackUrl: () => 'https://api.example.com' };
    assert.equal(
      (await findJob(reached, jobId))?.request.webhookUrl,
      `https://api.example.com${PATH}?provider=fal&job=${jobId}`,
    );
  });
});

describe('an event about a video that the provider has finished, and that is being fetched', () => {
  const finished = {
    state: 'completed',
    video: { from: 'url', url: 'https://vendor.test/film.mp4' },
    thumbnail: null,
  } as const;
  const notNow = new MediaFetchError('the host is busy', { isFinal: false });

  /** A job whose file is fetched by `fetchToFile`. */
  async function fetching(fetchToFile: (path: string, app: TestApp, jobId: string) => Promise<void>) {
    const app = await openApp({ status: [finished] });
    const { jobId } = await begin(app);
    app.ctx.mediaFetcherFor = () => ({
      async fetchToFile(_url, path) {
        await fetchToFile(path, app, jobId);
        return { bytes: 6 };
      },
    });
    return { app, jobId };
  }
  const tellAndSee = async (app: TestApp, jobId: string) => {
    assert.equal((await tell(app, jobId, `vendor-${jobId}-1`)).status, 200);
    assert.equal((await events(app)).at(-1)?.effect, 'ignored');
  };

  it('has no second worker fetch it', async () => {
    let fetches = 0;
    const { app, jobId } = await fetching(async (path, itsApp, itsJob) => {
      fetches += 1;
      if (fetches === 1) {
        await tellAndSee(itsApp, itsJob);
        assert.deepEqual(await itsApp.drain(), []);
      }
      await writeFile(path, 'a film');
    });
    await using _ = app;
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).status, fetches, app.vendor.looks.length], ['completed', 1, 1]);
    await app.assertSound();
  });

  it('strands nothing where the file cannot be had just now: that task comes again by itself', async () => {
    let fetches = 0;
    const { app, jobId } = await fetching(async (path) => {
      fetches += 1;
      if (fetches === 1) throw notNow;
      await writeFile(path, 'a film');
    });
    await using _ = app;
    await app.drain();
    const [task] = await app.tasksOf(jobId);
    assert.deepEqual([task?.task, Math.ceil((task?.dueMs ?? 0) / 1000)], ['poll_generation', 5]);
    await tellAndSee(app, jobId);
    assert.equal((await app.tasksOf(jobId)).length, 1);
    await app.hasten();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('strands nothing where the worker was killed: its task goes on with another', async () => {
    const { app, jobId } = await fetching((path) => writeFile(path, 'a film'));
    await using _ = app;
    const life = new AbortController();
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      async probe() {
        life.abort(new Error('killed'));
        throw life.signal.reason;
      },
    };
    await app.drain({ ctx: { ...app.ctx, probe }, signal: life.signal });
    assert.equal((await app.job(jobId)).status, 'processing');
    await tellAndSee(app, jobId);
    // As the watch over killed workers does.
    await app.hasten();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('strands nothing where its task was lost: the sweep gives it another', async () => {
    const { app, jobId } = await fetching((path) => writeFile(path, 'a film'));
    await using _ = app;
    await app.ctx.db.call('mark_submitted', {
      job_id: jobId,
      attempt_id: await claimAttempt(app.ctx.db, jobId),
      provider_job_id: `vendor-${jobId}-1`,
    });
    await app.ctx.db.call('end_attempt', { job_id: jobId, result: 'completed', error: null, cost_usd: null });
    await app.owner.query('delete from graphile_worker._private_jobs');
    await tellAndSee(app, jobId);
    assert.deepEqual(await app.tasksOf(jobId), []);
    await app.owner.query(`update video_jobs set created_at = now() - interval '1 minute'`);
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 1 });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('still wakes the worker where the provider has failed and the credits are not back yet', async () => {
    const { app, jobId } = await fetching(async () => {});
    await using _ = app;
    await app.ctx.db.call('mark_submitted', {
      job_id: jobId,
      attempt_id: await claimAttempt(app.ctx.db, jobId),
      provider_job_id: `vendor-${jobId}-1`,
    });
    await app.ctx.db.call('end_attempt', { job_id: jobId, result: 'failed', error: 'no', cost_usd: null });
    await tell(app, jobId, `vendor-${jobId}-1`);
    assert.equal((await events(app)).at(-1)?.effect, 'woke');
  });
});

describe('where a provider reaches this server', () => {
  const reach = (vendor: string, publicUrl: string | undefined, simulated: 'fal'[] = []) => {
    const connection = { credentials: { apiKey: 'key' }, urls: { queueUrl: vendor, restUrl: vendor }, fetch };
    return callbackUrls({
      publicUrl,
      providers: new Map([['fal', { manifest: fal, connection, isSimulated: simulated.includes('fal') }]]),
      localUrl: () => 'http://127.0.0.1:8787',
    })({ name: 'fal' });
  };
  const REAL = 'https://queue.fal.run';
  const STAND_IN = 'http://127.0.0.1:9000';

  it('is its public address; what the real vendor cannot reach is not given to it', () => {
    assert.equal(reach(REAL, 'https://api.example.com'), 'https://api.example.com');
    for (const address of [
      'http://api.example.com',
      'https://localhost',
      'https://10.0.0.1',
      'http://localhost:8787',
    ]) {
      assert.equal(reach(REAL, address), null, address);
    }
    assert.equal(reach(REAL, undefined), null);
  });

  it('is this machine for a stand-in on this machine, and for a simulator in this process', () => {
    assert.equal(reach(STAND_IN, undefined), 'http://127.0.0.1:8787');
    assert.equal(reach('http://[::1]:9000', undefined), 'http://127.0.0.1:8787');
    assert.equal(reach(STAND_IN, 'http://rendio:8787'), 'http://rendio:8787');
    assert.equal(reach('http://10.0.0.2', undefined), null);
    assert.equal(reach(REAL, 'https://api.example.com', ['fal']), 'http://127.0.0.1:8787');
  });
});
