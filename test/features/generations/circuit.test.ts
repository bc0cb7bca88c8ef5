/** The models of a provider that keeps failing cannot be used for new jobs; jobs that are already charged continue. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { submitGeneration } from '../../../src/features/generations/worker/submit.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { createTestApp, type TestApp, type TestAppOptions } from '../../support/app.ts';
import type { SubmitStep } from '../../support/providers.ts';

const down = { outcome: 'retryable', cause: '503' } as const;
const busy = { outcome: 'retryable', cause: '429', isBusy: true } as const;
const declined = { outcome: 'declined', code: 'ERR_5003', cause: 'not this prompt' } as const;
const lost = { outcome: 'unknown', cause: 'no answer' } as const;

/** A user with five credits who requests videos over HTTP. */
async function createBuyer(app: TestApp) {
  const userId = await app.user(5);
  const headers = { Authorization: `Bearer ${await app.tokenOf(userId)}`, 'Content-Type': 'application/json' };
  const { models } = await (await app.fetch('/functions/v1/get-models')).json();
  const model = models.find(({ name }: { name: string }) => name === 'Sandbox');
  const buy = async (key: string = randomUUID()) => {
    const response = await app.fetch('/functions/v1/generate-video', {
      method: 'POST',
      headers: { ...headers, 'Idempotency-Key': key },
      body: JSON.stringify({ model_id: model.id, prompt: 'a cat playing piano', settings: { duration: 1 } }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { userId, buy, balance: () => app.balance(userId) };
}

/** Runs `jobs` jobs of different users with the vendor's current behaviour. */
async function runJobs(app: TestApp, jobs: number): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < jobs; count += 1) ids.push(await app.generate(await app.user(1)));
  await app.drain();
  return ids;
}

const openApp = (submit: SubmitStep[], more: TestAppOptions['vendor'] = {}) =>
  createTestApp({ vendor: { isRepeatable: false, pollIntervalMs: 8_000, submit, ...more } });

/** Moves every circuit's next probe 30 seconds closer. */
async function pass30s(app: TestApp): Promise<void> {
  await app.owner.query(`update provider_circuits set probe_at = probe_at - interval '30 seconds'`);
}

describe('a provider that keeps failing', () => {
  for (const [what, step, jobs] of [
    ['cannot be reached: after five', down, 5],
    // Each of them may have been accepted, so they are not failures; but the limit is only higher, not absent.
    ['gives no answers: after ten', lost, 10],
  ] as const) {
    it(`and ${what} different jobs in a row no new job is charged`, async () => {
      await using app = await openApp([step]);
      const { buy, balance } = await createBuyer(app);
      await runJobs(app, jobs - 1);
      const key = randomUUID();
      const before = await buy(key);
      assert.equal(before.status, 200);
      await app.drain();

      const answer = await buy();
      assert.deepEqual([answer.status, answer.body.error.code], [502, 'ERR_5002']);
      assert.match(answer.body.error.message, /not charged/);
      const seconds = Number(answer.headers.get('Retry-After'));
      assert.ok(seconds >= 28 && seconds <= 30, String(seconds));
      assert.equal(answer.body.error.details.retry_after, seconds);
      assert.equal(await balance(), 4);
      assert.deepEqual((await buy(key)).body, before.body, 'the same key gets the earlier answer');
      await app.assertSound();
    });
  }

  it('is distinguished from one that declines requests, is busy, or fails one job repeatedly', async () => {
    await using app = await openApp([declined]);
    const { buy } = await createBuyer(app);
    await runJobs(app, 6);
    app.vendor.script({ submit: [busy] });
    await runJobs(app, 6);
    assert.equal((await buy()).status, 200);

    await using other = await openApp([down]);
    const again = await createBuyer(other);
    const ids = await runJobs(other, 2);
    for (let tries = 1; tries < 4; tries += 1) {
      await other.makeAllDue();
      await other.drain();
    }
    for (const id of ids) assert.equal((await other.job(id)).error_code, 'ERR_5002');
    assert.equal(other.vendor.submits.length, 8);
    assert.equal((await again.buy()).status, 200);
  });

  it('is distinguished from our own shutdown, which aborts running submits', async () => {
    await using app = await openApp([lost]);
    const { buy } = await createBuyer(app);
    for (let jobs = 0; jobs < 6; jobs += 1) {
      const jobId = await app.generate(await app.user(1));
      await submitGeneration(app.ctx, jobId, AbortSignal.abort());
      assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
    }
    assert.equal((await buy()).status, 200);
  });

  it('is distinguished from one that accepts jobs at the second attempt, or completes a video in between', async () => {
    await using app = await openApp([down]);
    const { buy } = await createBuyer(app);
    await runJobs(app, 4);
    app.vendor.script({ submit: ['accept'], status: [{ state: 'processing', progress: 1 }] });
    await app.makeAllDue();
    await app.drain();
    app.vendor.script({ submit: [down] });
    await runJobs(app, 4);
    assert.equal((await buy()).status, 200, 'accepted jobs reset the count');
    await app.drain();

    await using other = await openApp([down]);
    const second = await createBuyer(other);
    await runJobs(other, 4);
    other.vendor.script({ submit: ['accept'] });
    await runJobs(other, 1);
    other.vendor.script({ submit: [down] });
    await runJobs(other, 4);
    assert.equal((await second.buy()).status, 200);
  });

  it('is probed with one charged job every half minute, and is open again once one succeeds', async () => {
    await using app = await openApp([down]);
    const [{ buy }, other] = [await createBuyer(app), await createBuyer(app)];
    await runJobs(app, 5);
    await pass30s(app);
    const withoutCredits = await app.user(0);
    const begun = await app.ctx.db.call('begin_generation', await beginArgs(app, withoutCredits));
    assert.equal(begun.outcome, 'insufficient_credits');
    const probes = await Promise.all([buy(), other.buy()]);
    assert.deepEqual(probes.map(({ status }) => status).sort(), [200, 502]);
    await app.drain();
    assert.equal((await buy()).status, 502, 'the probe has failed too');

    await pass30s(app);
    app.vendor.script({ submit: ['accept'] });
    assert.equal((await buy()).status, 200);
    await app.drain();
    assert.deepEqual([(await buy()).status, (await other.buy()).status], [200, 200]);
    await app.drain();
    await app.assertSound();
  });

  it('after it has accepted them is open again only after a completed video', async () => {
    const outage = { state: 'failed', code: 'ERR_5002', cause: 'runner_disconnected' } as const;
    await using app = await openApp(['accept'], { status: [outage] });
    const { buy, balance } = await createBuyer(app);
    await runJobs(app, 5);
    assert.equal((await buy()).status, 502);
    assert.equal(await balance(), 5);
    await pass30s(app);
    app.vendor.script({ status: [{ state: 'processing', progress: 1 }, 'complete'] });
    assert.equal((await buy()).status, 200);
    assert.equal((await buy()).status, 502, 'it has only accepted the job so far');
    await app.drain();
    await app.makeAllDue();
    await app.drain();
    assert.equal((await buy()).status, 200);
  });

  it('is distinguished from one whose videos miss the deadline, which may be our own fault', async () => {
    await using app = await openApp(['accept'], { status: [{ state: 'processing', progress: 1 }] });
    const { buy } = await createBuyer(app);
    for (const id of await runJobs(app, 6)) await app.expire(id);
    assert.equal((await sweepGenerations(app.ctx)).expired, 6);
    assert.equal((await buy()).status, 200);
  });

  it('still gets the jobs that were already charged', async () => {
    await using app = await openApp([down]);
    const ids = await runJobs(app, 5);
    app.vendor.script({ submit: ['accept'] });
    await app.makeAllDue();
    await app.drain();
    await app.makeAllDue();
    await app.drain();
    for (const id of ids) assert.equal((await app.job(id)).status, 'completed');
    await app.assertSound();
  });
});

async function beginArgs(app: TestApp, userId: string) {
  const { rows } = await app.owner.query<{ id: string }>(`select id from models where name = 'Sandbox'`);
  const limits = { limit_account: 10, limit_address: 10, limit_in_flight: 10, deadline_seconds: 60 };
  assert.ok(rows[0]);
  const request = { model_id: rows[0].id, prompt: 'a cat playing piano', settings: { duration: 1 }, image_url: null };
  return {
    user_id: userId,
    idempotency_key: randomUUID(),
    request_hash: 'a'.repeat(64),
    ...request,
    address: null,
    ...limits,
  };
}
