import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProviderStatus } from '../../../src/providers/provider.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import type { StatusStep } from '../../support/providers.ts';

const QUEUED: ProviderStatus = { state: 'queued', queuePosition: 3 };
const RUNNING: ProviderStatus = { state: 'processing', progress: 10 };
const ONE_AN_HOUR = { RATE_LIMIT_REFUNDED_CANCELS_PER_HOUR: '1' };

/** An application whose vendor bills what it has begun, and never polls by itself. */
function appWith(status: StatusStep[], env: Record<string, string> = ONE_AN_HOUR): Promise<TestApp> {
  return createTestApp({ env, vendor: { isRepeatable: false, pollIntervalMs: 3_600_000, status } });
}

async function submitted(app: TestApp, userId: string): Promise<string> {
  const jobId = await app.generate(userId);
  await app.drain();
  assert.equal((await app.job(jobId)).status, 'processing');
  return jobId;
}

async function cancel(app: TestApp, userId: string, jobId: string): Promise<Response> {
  return app.fetch('/functions/v1/cancel-video-job', {
    method: 'POST',
    headers: { Authorization: `Bearer ${await app.tokenOf(userId)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ job_id: jobId }),
  });
}

describe('cancelling a generation', () => {
  it('that its provider has begun is refunded a few times an hour; then it goes on, and is 429', async () => {
    await using app = await appWith([RUNNING]);
    const userId = await app.user(3);
    const jobs = [await submitted(app, userId), await submitted(app, userId)];
    assert.equal((await cancel(app, userId, jobs[0] ?? '')).status, 200);
    const limited = await cancel(app, userId, jobs[1] ?? '');
    assert.equal(limited.status, 429);
    assert.ok(Number(limited.headers.get('Retry-After')) > 3_000);
    assert.equal(limited.headers.get('RateLimit-Policy'), '"refunded_cancels";q=1;w=3600');
    assert.deepEqual((await limited.json()).error.details.reason, 'refunded_cancels');
    assert.equal((await app.job(jobs[1] ?? '')).status, 'processing');
    assert.equal(await app.balance(userId), 2);
    await app.assertSound();
  });

  it('that waits in its provider’s queue is refunded without a limit, and taken out of the queue first', async () => {
    await using app = await appWith([QUEUED]);
    const userId = await app.user(3);
    for (let jobs = 0; jobs < 3; jobs += 1) {
      const jobId = await submitted(app, userId);
      assert.equal((await cancel(app, userId, jobId)).status, 200);
      assert.ok(app.vendor.cancels.includes(jobId));
    }
    assert.equal(await app.balance(userId), 3);
  });

  it('that was not sent yet is refunded without a limit, and its provider is not asked', async () => {
    await using app = await appWith([RUNNING]);
    const userId = await app.user(3);
    for (let jobs = 0; jobs < 3; jobs += 1) {
      assert.equal((await cancel(app, userId, await app.generate(userId))).status, 200);
    }
    assert.deepEqual(app.vendor.polls, []);
    assert.equal(await app.balance(userId), 3);
  });

  it('whose provider says that it is made is 409, before the worker knows', async () => {
    await using app = await appWith([RUNNING, 'complete']);
    const userId = await app.user(1);
    const jobId = await submitted(app, userId);
    assert.equal((await cancel(app, userId, jobId)).status, 409);
    assert.equal((await app.job(jobId)).status, 'processing');
  });

  it('whose provider finished it while it was taken out of the queue is 409', async () => {
    await using app = await appWith([RUNNING, QUEUED, 'complete']);
    const userId = await app.user(1);
    assert.equal((await cancel(app, userId, await submitted(app, userId))).status, 409);
  });

  it('whose provider does not answer counts as begun', async () => {
    await using app = await appWith([RUNNING, { state: 'unreachable', cause: 'down' }]);
    const userId = await app.user(2);
    const jobs = [await submitted(app, userId), await submitted(app, userId)];
    assert.equal((await cancel(app, userId, jobs[0] ?? '')).status, 200);
    assert.equal((await cancel(app, userId, jobs[1] ?? '')).status, 429);
  });

  it('at once many times over stays within the limit', async () => {
    await using app = await appWith([RUNNING], { RATE_LIMIT_REFUNDED_CANCELS_PER_HOUR: '2' });
    const userId = await app.user(5);
    const jobs: string[] = [];
    for (let n = 0; n < 5; n += 1) jobs.push(await submitted(app, userId));
    const answers = await Promise.all(jobs.map((jobId) => cancel(app, userId, jobId)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429, 429, 429]);
    assert.equal(await app.balance(userId), 2);
    await app.assertSound();
  });
});
