import assert from 'node:assert/strict';
import { access, rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { pollGeneration } from '../../../src/features/generations/worker/poll.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { MediaFetchError } from '../../../src/media/fetch-media.ts';
import { createProbe, ProbeUnavailable } from '../../../src/media/probe.ts';
import { createTestApp, fakeProbe, type TestApp } from '../../support/app.ts';
import { claimAttempt } from '../../support/procedures.ts';
import { hang } from '../../support/providers.ts';

const never = new AbortController().signal;

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** The one waiting task of the job, and in how many seconds it is due. */
async function waitingTask(app: TestApp, jobId: string): Promise<[string, number]> {
  const tasks = (await app.tasksOf(jobId)).filter(({ isLocked }) => !isLocked);
  assert.equal(tasks.length, 1);
  return [tasks[0]?.task ?? '', Math.ceil((tasks[0]?.dueMs ?? 0) / 1000)];
}

describe('polling a generation to its end', () => {
  it('a provider with a short poll interval is polled within one task, which ends after 20 polls to let other tasks run', async () => {
    await using app = await createTestApp({
      vendor: { pollIntervalMs: 1, status: [{ state: 'processing', progress: 10 }] },
    });
    const { jobId } = await begin(app);
    const attempt_id = await claimAttempt(app.ctx.db, jobId);
    await app.ctx.db.call('mark_submitted', { job_id: jobId, attempt_id, provider_job_id: 'x' });
    await pollGeneration(app.ctx, jobId, never);
    assert.equal(app.vendor.polls.length, 20);
    assert.ok((await app.tasksOf(jobId)).some(({ task }) => task === 'poll_generation'));
    assert.equal((await app.job(jobId)).progress, 10);
  });

  it('a provider with a long poll interval has one task for each poll', async () => {
    await using app = await createTestApp({
      vendor: { pollIntervalMs: 8_000, status: [{ state: 'queued', queuePosition: 3 }, 'complete'] },
    });
    const { jobId } = await begin(app);
    await app.drain();
    assert.deepEqual(await waitingTask(app, jobId), ['poll_generation', 8]);
    assert.equal(app.vendor.polls.length, 1);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('a completed video can no longer be cancelled: its provider is paid, and it is delivered', async () => {
    let isBusy = true;
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      async probe(...args) {
        if (isBusy) throw new ProbeUnavailable('busy');
        return fakeProbe.probe(...args);
      },
    };
    await using app = await createTestApp({ overrides: { probe } });
    const { userId, jobId } = await begin(app);
    await app.drain();
    const answer = await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
    assert.deepEqual(answer, { outcome: 'final', status: 'processing' });
    isBusy = false;
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.equal(await app.balance(userId), 0);
    await app.assertSound();
  });

  it('a file that cannot be downloaded is retried less and less often, down to once a minute', async () => {
    const video = { from: 'url', url: 'https://files.example/a.mp4' } as const;
    let downloads = 0;
    const fetcher = {
      async fetchToFile() {
        downloads += 1;
        throw new MediaFetchError('cut', { isFinal: false });
      },
    };
    await using app = await createTestApp({
      vendor: { status: [{ state: 'completed', video, thumbnail: null }] },
      overrides: { mediaFetcherFor: () => fetcher },
    });
    const { jobId } = await begin(app);
    for (const [waitedSeconds, nextSeconds] of [
      [0, 5],
      [4, 5],
      [40, 20],
      [600, 60],
    ] as const) {
      const sql = `update provider_attempts set ended_at = now() - make_interval(secs => $2) where job_id = $1 and result is not null`;
      await app.owner.query(sql, [jobId, waitedSeconds]);
      await app.makeAllDue();
      await app.drain();
      const [task, seconds] = await waitingTask(app, jobId);
      assert.equal(task, 'poll_generation');
      assert.ok(Math.abs(seconds - nextSeconds) <= 1, `${seconds} s after ${waitedSeconds}`);
    }
    assert.equal(downloads, 4);
  });

  it('an unreachable provider is polled again, and the job does not fail before the deadline', async () => {
    await using app = await createTestApp({ vendor: { status: [{ state: 'unreachable', cause: 'cut' }, 'complete'] } });
    const { jobId } = await begin(app);
    await app.drain();
    assert.deepEqual(await waitingTask(app, jobId), ['poll_generation', 5]);
    assert.equal((await app.job(jobId)).status, 'processing');
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('a provider that never answers does not delay the status endpoint', async () => {
    await using app = await createTestApp({ vendor: { status: [hang()] } });
    const { userId, jobId } = await begin(app);
    const stopping = new AbortController();
    const draining = app.drain({ signal: stopping.signal });
    while (app.vendor.polls.length === 0) await new Promise(setImmediate);
    const headers = { Authorization: `Bearer ${await app.tokenOf(userId)}` };
    const answer = await app.fetch(`/functions/v1/get-video-status?job_id=${jobId}`, { headers });
    assert.deepEqual([answer.status, (await answer.json()).status], [200, 'processing']);
    assert.equal(app.vendor.polls.length, 1, 'the endpoint does not call the provider');
    stopping.abort(new Error('stopping'));
    await draining;
  });

  it('a job whose provider was removed from the configuration is polled again once the provider is back', async () => {
    await using app = await createTestApp({
      vendor: { pollIntervalMs: 8_000, status: [{ state: 'processing', progress: 1 }, 'complete'] },
    });
    const { jobId } = await begin(app);
    await app.drain();
    await app.makeAllDue();
    await app.drain({ ctx: { ...app.ctx, providers: new Map() } });
    assert.deepEqual(await waitingTask(app, jobId), ['poll_generation', 60]);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });

  it('a file that does not play fails the job with ERR_5005, refunds the credits, and leaves no file', async () => {
    const probe = createProbe({ maxParallel: 1, log: silentLog });
    await using app = await createTestApp({ overrides: { probe } });
    const { userId, jobId } = await begin(app);
    assert.deepEqual(await app.drain(), []);
    await probe.close();
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5005', 1]);
    assert.equal(app.vendor.spooled.size, 0);
    await app.assertSound();
  });

  it('a probe that is unavailable does not fail the job: it continues later', async () => {
    let isBroken = true;
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      probe: (...args) => {
        if (isBroken) return Promise.reject(new ProbeUnavailable('no process'));
        return fakeProbe.probe(...args);
      },
    };
    await using app = await createTestApp({ overrides: { probe } });
    const { jobId } = await begin(app);
    assert.equal((await app.drain()).length, 1);
    assert.equal((await app.job(jobId)).status, 'processing');
    isBroken = false;
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('a deleted work folder is created again', async () => {
    await using app = await createTestApp();
    const { jobId } = await begin(app);
    await rm(app.ctx.workDir, { recursive: true });
    assert.deepEqual(await app.drain(), []);
    assert.equal((await app.job(jobId)).status, 'completed');
    await access(app.ctx.workDir);
  });

  it('a deleted job loses its files, and its link answers 404', async () => {
    await using app = await createTestApp();
    const { userId, jobId } = await begin(app);
    await app.drain();
    await app.assertSound();
    assert.equal((await app.stored()).length, 2);
    const headers = { Authorization: `Bearer ${await app.tokenOf(userId)}`, 'Content-Type': 'application/json' };
    const status = await (await app.fetch(`/functions/v1/get-video-status?job_id=${jobId}`, { headers })).json();
    assert.equal((await app.fetch(status.video_url)).status, 200);
    const request = { method: 'POST', headers, body: JSON.stringify({ job_id: jobId }) };
    assert.equal((await app.fetch('/functions/v1/delete-video-job', request)).status, 200);
    assert.equal((await app.fetch(status.video_url)).status, 404);
    await app.drain();
    assert.deepEqual(await app.stored(), []);
    await app.assertSound();
  });
});
