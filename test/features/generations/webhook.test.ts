/** Webhooks of providers: verified, recorded once, and used only as a hint to poll. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { callbackUrls } from '../../../src/app/callback-url.ts';
import { findJob } from '../../../src/features/generations/job.ts';
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

/** Sends an event in the vendor's own form: `about` is our job's id, `requestId` the vendor's. */
async function sendEvent(app: TestApp, about: string, requestId: string, headers: Record<string, string> = {}) {
  return app.fetch(`${PATH}?provider=fal&job=${about}`, {
    method: 'POST',
    headers: { 'x-genuine': 'yes', ...headers },
    body: JSON.stringify({ request_id: requestId, status: 'OK' }),
  });
}

type Signing = { secret?: string; at?: number | null; signedText?: string; signature?: string };

async function sendSigned(
  app: TestApp,
  body: string,
  { secret = SECRET, at = null, signedText, signature }: Signing = {},
) {
  const signed = signedText ?? (at === null ? body : `${at}.${body}`);
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

  it('makes the worker poll at once instead of at the next interval', async () => {
    await using app = await openApp(running);
    const { jobId } = await begin(app);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'processing');
    const answer = await sendSigned(app, eventAbout(`vendor-${jobId}-1`));
    assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('is recorded once, by its id or by its body', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    const withId = eventAbout(`vendor-${jobId}-1`, { id: 'evt_1' });
    const sameId = eventAbout(`vendor-${jobId}-1`, { id: 'evt_1', more: 'data' });
    const withoutId = eventAbout(`vendor-${jobId}-1`);
    const polls: number[] = [];
    for (const body of [withId, withId, sameId, withoutId, withoutId]) {
      assert.equal((await sendSigned(app, body)).status, 200);
      await app.drain();
      polls.push(app.vendor.polls.length);
    }
    assert.deepEqual(polls, [2, 2, 2, 3, 3]);
    assert.equal((await events(app)).length, 2);
  });

  it('with a timestamp is valid for five minutes, and only if the timestamp was signed too', async () => {
    await using app = await openApp(running);
    const nowSeconds = Math.floor(app.ctx.clock.now().getTime() / 1000);
    const body = eventAbout('another job');
    const statuses = async (...signings: Signing[]) =>
      Promise.all(signings.map(async (signing) => (await sendSigned(app, body, signing)).status));
    assert.deepEqual(
      await statuses({ at: nowSeconds }, { at: nowSeconds - 290 }, { at: nowSeconds + 290 }),
      [200, 200, 200],
    );
    assert.deepEqual(
      await statuses({ at: nowSeconds - 320 }, { at: nowSeconds + 320 }, { at: nowSeconds, signedText: body }),
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
      { signedText: `${body} ` },
    ]) {
      const answer = await sendSigned(app, body, signing);
      assert.deepEqual([answer.status, (await answer.json()).error.code], [401, 'ERR_4005'], JSON.stringify(signing));
    }
    assert.equal((await app.fetch(PATH, { method: 'POST', body })).status, 401);
    assert.deepEqual(await events(app), []);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'processing');

    await using withoutSecret = await createTestApp();
    assert.equal((await sendSigned(withoutSecret, body, { secret: '' })).status, 401, 'an empty secret is not valid');
  });

  it('with a valid signature and an invalid body gets an error that names the invalid field', async () => {
    await using app = await openApp();
    for (const [body, field] of [
      ['{"type":', 'body'],
      ['[]', 'body'],
      ['{"type":"video.paused","data":{"provider_job_id":"x"}}', 'type'],
      ['{"type":"video.failed","data":{}}', 'data.provider_job_id'],
      ['{"type":"video.failed","data":{"provider_job_id":"\\u0000"}}', 'data.provider_job_id'],
    ] as const) {
      const answer = await sendSigned(app, body);
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.code, error.details.field], [400, 'ERR_4006', field], body);
    }
    assert.equal((await sendSigned(app, 'x'.repeat(1024 * 1024 + 1))).status, 413);
    assert.deepEqual(await events(app), []);
  });

  it('about an unknown job or one of another provider gets 200 and is not recorded; about an ended job it has no effect', async () => {
    await using app = await openApp({ status: ['complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    const foreign = JSON.stringify({
      type: 'video.failed',
      data: { provider: 'runway', provider_job_id: `vendor-${jobId}-1` },
    });
    for (const body of [eventAbout(randomUUID()), foreign]) {
      const answer = await sendSigned(app, body);
      assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    }
    assert.deepEqual(await events(app), []);
    const ended = eventAbout(`vendor-${jobId}-1`, { type: 'video.failed' });
    assert.equal((await sendSigned(app, ended)).status, 200);
    assert.deepEqual(await events(app), [{ sender: 'signed', effect: 'ignored' }]);
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });
});

describe('a submit without an answer', () => {
  const unanswered = { outcome: 'unknown', cause: 'no answer' } as const;

  it('is resolved by an event that the provider confirms: the video is delivered, and nothing was sent twice', async () => {
    await using app = await openApp({ submit: [unanswered], status: ['complete'] });
    const { userId, jobId } = await begin(app);
    await app.drain();
    assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
    assert.equal((await sendEvent(app, jobId, 'taken-after-all')).status, 200);
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

  it('counts as a failure of the provider only until it is known to have been accepted', async () => {
    await using app = await openApp({ submit: [unanswered], status: [{ state: 'processing', progress: 1 }] });
    const failures = async () =>
      (await app.owner.query('select unanswered_jobs as jobs from provider_circuits')).rows[0].jobs;
    const { jobId } = await begin(app);
    await app.drain();
    assert.deepEqual(await failures(), [jobId]);
    await sendEvent(app, jobId, 'taken-after-all');
    await app.drain();
    assert.deepEqual(await failures(), []);
  });

  it('stays unknown when the provider has no such job for our key: a signed event may be another customer’s', async () => {
    for (const status of [
      { state: 'absent', cause: '404' },
      { state: 'failed', code: 'ERR_5003', cause: '422', isUnconfirmed: true },
    ] as const) {
      await using app = await openApp({ submit: [unanswered], status: [status] });
      const { userId, jobId } = await begin(app);
      await app.drain();
      assert.equal((await sendEvent(app, jobId, 'another-customers')).status, 200);
      for (let round = 0; round < 5; round += 1) {
        assert.deepEqual(await app.drain(), []);
        await app.makeAllDue();
      }
      assert.equal(app.vendor.polls.length, 3, 'polled only three times');
      assert.deepEqual([(await app.job(jobId)).status, await app.balance(userId)], ['pending', 0]);
      assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
    }
  });

  it('stays unknown while the provider is unreachable, and is polled again', async () => {
    await using app = await openApp({
      submit: [unanswered],
      status: [{ state: 'unreachable', cause: 'cut' }, 'complete'],
    });
    const { jobId } = await begin(app);
    await app.drain();
    await sendEvent(app, jobId, 'taken-after-all');
    await app.drain();
    const [task] = await app.tasksOf(jobId);
    assert.deepEqual([task?.task, Math.ceil((task?.dueMs ?? 0) / 1000)], ['confirm_attempt', 5]);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('is resolved by the second poll where the provider does not find the job at the first', async () => {
    await using app = await openApp({ submit: [unanswered], status: [{ state: 'absent', cause: '404' }, 'complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    await sendEvent(app, jobId, 'taken-after-all');
    await app.drain();
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('never gets the provider’s job of another generation', async () => {
    await using app = await openApp({ submit: ['accept', unanswered], status: [{ state: 'processing', progress: 1 }] });
    const first = await begin(app);
    await app.drain();
    const second = await begin(app);
    await app.drain();
    await sendEvent(app, second.jobId, `vendor-${first.jobId}-1`);
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual((await app.attempts(second.jobId))[0]?.state, 'unknown');
    assert.equal((await app.job(second.jobId)).provider_job_id, null);
    await app.ctx.db.call('confirm_attempt', { job_id: second.jobId, provider_job_id: `vendor-${first.jobId}-1` });
    assert.equal((await app.job(second.jobId)).provider_job_id, null, 'not even in a race');
  });

  it('of a job that was cancelled meanwhile is cancelled at the provider once it is known', async () => {
    await using app = await openApp({ submit: [unanswered], status: [{ state: 'processing', progress: 1 }] });
    const { userId, jobId } = await begin(app);
    await app.drain();
    await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    await app.drain();
    assert.deepEqual(app.vendor.cancels, []);
    await sendEvent(app, jobId, 'taken-after-all');
    await app.drain();
    assert.deepEqual([app.vendor.cancels, await app.balance(userId)], [[jobId], 1]);
    assert.equal((await app.job(jobId)).error_code, 'ERR_5004');
    await app.assertSound();
  });

  it('is resolved by an event that arrives before the answer; the answer then changes nothing', async () => {
    await using app = await openApp({ status: ['complete'] });
    const { jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          assert.equal((await sendEvent(app, jobId, `vendor-${jobId}-1`)).status, 200);
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

describe('a retryable submit that was accepted after all', () => {
  const unavailable = { outcome: 'retryable', cause: '503' } as const;

  /** The first submit was accepted although its answer was 503; its event arrives during the fourth and last submit. */
  async function eventDuringLastSubmit(last: 'accept' | typeof unavailable) {
    const app = await openApp({ submit: [unavailable], status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    for (let sends = 0; sends < 3; sends += 1) {
      await app.drain();
      await app.makeAllDue();
    }
    app.vendor.script({
      submit: [
        async () => {
          await sendEvent(app, jobId, 'the-first');
          await app.ctx.db.call('confirm_attempt', { job_id: jobId, provider_job_id: 'the-first' });
          return last;
        },
      ],
    });
    assert.deepEqual(await app.drain(), []);
    return { app, jobId };
  }

  it('leaves one running video: the second accepted one is cancelled at the provider', async () => {
    const { app, jobId } = await eventDuringLastSubmit('accept');
    await using _ = app;
    assert.deepEqual([(await app.job(jobId)).provider_job_id, app.vendor.cancels], ['the-first', [jobId]]);
    assert.equal((await app.job(jobId)).status, 'processing');
  });

  it('does not fail a generation that an event has confirmed', async () => {
    const { app, jobId } = await eventDuringLastSubmit(unavailable);
    await using _ = app;
    assert.deepEqual([(await app.job(jobId)).status, app.vendor.submits.length], ['processing', 4]);
  });
});

describe('a vendor’s own events', () => {
  it('that are genuine but not a JSON object get 400; without a job’s id they have no effect', async () => {
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

  it('are verified by the vendor’s scheme alone: the generic signature is not accepted', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    const body = eventAbout(`vendor-${jobId}-1`);
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const options = { method: 'POST', headers: { 'X-Webhook-Signature': signature }, body };
    assert.equal((await app.fetch(`${PATH}?provider=fal&job=${jobId}`, options)).status, 401);
    assert.equal((await sendEvent(app, jobId, `vendor-${jobId}-1`, { 'x-genuine': 'no' })).status, 401);
    assert.deepEqual(await events(app), []);
  });

  it('about jobs of its other customers are not recorded, whatever ids they contain', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await app.owner.query(`update video_jobs set provider = 'runway' where job_id = $1`, [jobId]);
    for (const [about, requestId] of [
      [randomUUID(), 'another-customers'],
      ['no-uuid', 'also-another-customers'],
      // Our job, but of another provider than this sender.
      [jobId, `vendor-${jobId}-1`],
    ] as const) {
      const answer = await sendEvent(app, about, requestId);
      assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
    }
    assert.deepEqual(await events(app), []);
    await app.drain();
    assert.equal(app.vendor.polls.length, 1);
  });

  it('about our job with another id at the vendor are recorded, and cause no poll', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await sendEvent(app, jobId, 'another');
    await app.drain();
    assert.deepEqual(await events(app), [{ sender: 'fal', effect: 'ignored' }]);
    assert.equal(app.vendor.polls.length, 1);
  });

  it('that arrive before the vendor’s id is known take effect when they are sent again', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    assert.equal((await sendEvent(app, 'no-uuid', `vendor-${jobId}-1`)).status, 200);
    await app.drain();
    await sendEvent(app, 'no-uuid', `vendor-${jobId}-1`);
    assert.deepEqual(await events(app), [{ sender: 'fal', effect: 'woke' }]);
  });

  it('without our job’s id find the job by the vendor’s id', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }, 'complete'] });
    const { jobId } = await begin(app);
    await app.drain();
    assert.equal((await sendEvent(app, 'no-uuid', `vendor-${jobId}-1`)).status, 200);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('that arrive during a poll take effect: the poll does not delay the next one again', async () => {
    await using app = await openApp({ status: [{ state: 'processing', progress: 1 }] });
    const { jobId } = await begin(app);
    await app.drain();
    await sendEvent(app, jobId, `vendor-${jobId}-1`);
    await app.ctx.db.call('schedule_poll', { job_id: jobId, delay_ms: 60_000 });
    const [task] = await app.tasksOf(jobId);
    assert.ok((task?.dueMs ?? 0) < 1_000, JSON.stringify(task));
  });

  it('are sent to a URL with our job’s id, where the vendor can reach this server', async () => {
    await using app = await openApp();
    const { jobId } = await begin(app);
    assert.equal((await findJob(app.ctx, jobId))?.request.webhookUrl, null);
    const withCallbackUrl = { ...app.ctx, callbackUrl: () => 'https://api.example.com' };
    assert.equal(
      (await findJob(withCallbackUrl, jobId))?.request.webhookUrl,
      `https://api.example.com${PATH}?provider=fal&job=${jobId}`,
    );
  });
});

describe('an event about a completed video that is being downloaded', () => {
  const finished = {
    state: 'completed',
    video: { from: 'url', url: 'https://vendor.test/video.mp4' },
    thumbnail: null,
  } as const;
  const hostBusy = new MediaFetchError('the host is busy', { isFinal: false });

  /** A job whose file is downloaded by `fetchToFile`. */
  async function jobWithDownload(fetchToFile: (path: string, app: TestApp, jobId: string) => Promise<void>) {
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
  const sendIgnoredEvent = async (app: TestApp, jobId: string) => {
    assert.equal((await sendEvent(app, jobId, `vendor-${jobId}-1`)).status, 200);
    assert.equal((await events(app)).at(-1)?.effect, 'ignored');
  };

  it('does not make a second worker download it', async () => {
    let downloads = 0;
    const { app, jobId } = await jobWithDownload(async (path, itsApp, itsJob) => {
      downloads += 1;
      if (downloads === 1) {
        await sendIgnoredEvent(itsApp, itsJob);
        assert.deepEqual(await itsApp.drain(), []);
      }
      await writeFile(path, 'a clip');
    });
    await using _ = app;
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).status, downloads, app.vendor.polls.length], ['completed', 1, 1]);
    await app.assertSound();
  });

  it('does not lose the job where the download fails for now: its task is retried', async () => {
    let downloads = 0;
    const { app, jobId } = await jobWithDownload(async (path) => {
      downloads += 1;
      if (downloads === 1) throw hostBusy;
      await writeFile(path, 'a clip');
    });
    await using _ = app;
    await app.drain();
    const [task] = await app.tasksOf(jobId);
    assert.deepEqual([task?.task, Math.ceil((task?.dueMs ?? 0) / 1000)], ['poll_generation', 5]);
    await sendIgnoredEvent(app, jobId);
    assert.equal((await app.tasksOf(jobId)).length, 1);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('does not lose the job where the worker was killed: another worker continues its task', async () => {
    const { app, jobId } = await jobWithDownload((path) => writeFile(path, 'a clip'));
    await using _ = app;
    const worker = new AbortController();
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      async probe() {
        worker.abort(new Error('killed'));
        throw worker.signal.reason;
      },
    };
    await app.drain({ ctx: { ...app.ctx, probe }, signal: worker.signal });
    assert.equal((await app.job(jobId)).status, 'processing');
    await sendIgnoredEvent(app, jobId);
    // As the recovery of killed workers' jobs does.
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('does not lose the job where its task is missing: the sweep adds another', async () => {
    const { app, jobId } = await jobWithDownload((path) => writeFile(path, 'a clip'));
    await using _ = app;
    await app.ctx.db.call('mark_submitted', {
      job_id: jobId,
      attempt_id: await claimAttempt(app.ctx.db, jobId),
      provider_job_id: `vendor-${jobId}-1`,
    });
    await app.ctx.db.call('end_attempt', { job_id: jobId, result: 'completed', error: null, cost_usd: null });
    await app.owner.query('delete from graphile_worker._private_jobs');
    await sendIgnoredEvent(app, jobId);
    assert.deepEqual(await app.tasksOf(jobId), []);
    await app.owner.query(`update video_jobs set created_at = now() - interval '1 minute'`);
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 1 });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('still causes a poll where the provider has failed the job and the credits are not refunded yet', async () => {
    const { app, jobId } = await jobWithDownload(async () => {});
    await using _ = app;
    await app.ctx.db.call('mark_submitted', {
      job_id: jobId,
      attempt_id: await claimAttempt(app.ctx.db, jobId),
      provider_job_id: `vendor-${jobId}-1`,
    });
    await app.ctx.db.call('end_attempt', { job_id: jobId, result: 'failed', error: 'no', cost_usd: null });
    await sendEvent(app, jobId, `vendor-${jobId}-1`);
    assert.equal((await events(app)).at(-1)?.effect, 'woke');
  });
});

describe('the callback URL for a provider', () => {
  const callbackUrl = (vendor: string, publicUrl: string | undefined, simulated: 'fal'[] = []) => {
    const connection = { credentials: { apiKey: 'key' }, urls: { queueUrl: vendor, restUrl: vendor }, fetch };
    return callbackUrls({
      publicUrl,
      providers: new Map([['fal', { manifest: fal, connection, isSimulated: simulated.includes('fal') }]]),
      localUrl: () => 'http://127.0.0.1:8787',
    })({ name: 'fal' });
  };
  const REAL = 'https://queue.fal.run';
  const LOCAL_VENDOR = 'http://127.0.0.1:9000';

  it('is the public URL; none is given where the real vendor cannot reach it', () => {
    assert.equal(callbackUrl(REAL, 'https://api.example.com'), 'https://api.example.com');
    for (const publicUrl of [
      'http://api.example.com',
      'https://localhost',
      'https://10.0.0.1',
      'https://[::7f00:1]',
      'https://[64:ff9b::a00:1]',
      'http://localhost:8787',
    ]) {
      assert.equal(callbackUrl(REAL, publicUrl), null, publicUrl);
    }
    assert.equal(callbackUrl(REAL, undefined), null);
  });

  it('is the local URL for a vendor’s replacement on this machine, and for a simulator in this process', () => {
    assert.equal(callbackUrl(LOCAL_VENDOR, undefined), 'http://127.0.0.1:8787');
    assert.equal(callbackUrl('http://[::1]:9000', undefined), 'http://127.0.0.1:8787');
    assert.equal(callbackUrl(LOCAL_VENDOR, 'http://rendio:8787'), 'http://rendio:8787');
    assert.equal(callbackUrl('http://10.0.0.2', undefined), null);
    assert.equal(callbackUrl(REAL, 'https://api.example.com', ['fal']), 'http://127.0.0.1:8787');
  });
});
