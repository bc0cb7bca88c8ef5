import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { submitGeneration } from '../../../src/features/generations/worker/submit.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { claimAttempt } from '../../support/procedures.ts';
import { hang } from '../../support/providers.ts';

const never = new AbortController().signal;
const busy = { outcome: 'retryable', cause: '429', isBusy: true } as const;
const withoutJitter = (bytes: number) => new Uint8Array(bytes);

/** A user with one credit, and a job that this credit paid for. */
async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** The job's waiting tasks, and in how many seconds each is due. */
async function waitingTasks(app: TestApp, jobId: string): Promise<[string, number][]> {
  return (await app.tasksOf(jobId))
    .filter(({ isLocked }) => !isLocked)
    .map(({ task, dueMs }) => [task, Math.ceil(dueMs / 1000)]);
}

describe('submitting a generation to its provider', () => {
  it('a submit with an unknown outcome is never sent again where each submit is billed; the deadline refunds the credits', async () => {
    await using app = await createTestApp({
      vendor: { isRepeatable: false, submit: [{ outcome: 'unknown', cause: 'no answer' }, 'accept'] },
    });
    const { userId, jobId } = await begin(app);
    assert.deepEqual(await app.drain(), []);
    await submitGeneration(app.ctx, jobId, never);
    await app.owner.query(`update video_jobs set created_at = now() - interval '5 minutes' where job_id = $1`, [jobId]);
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 0 });
    assert.deepEqual(app.vendor.submits, [jobId]);
    assert.deepEqual(
      [(await app.job(jobId)).status, await app.balance(userId)],
      ['pending', 0],
      'the credits are held',
    );

    await app.expire(jobId);
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 1, requeued: 0 });
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5001', 1]);
    assert.deepEqual(app.vendor.submits, [jobId]);
    await app.assertSound();
  });

  it('a submit to a provider that knows our id is repeated under the same attempt', async () => {
    const cut = { outcome: 'unknown', cause: 'no answer' } as const;
    await using app = await createTestApp({ vendor: { isRepeatable: true, submit: [cut, cut, 'accept'] } });
    const { jobId } = await begin(app);
    for (let round = 0; round < 4; round += 1) {
      await app.drain();
      await app.makeAllDue();
    }
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.deepEqual(app.vendor.submits, [jobId, jobId, jobId]);
    assert.deepEqual(
      (await app.attempts(jobId)).map(({ attempt, state }) => [attempt, state]),
      [[1, 'accepted']],
    );
  });

  it('a submit that throws is unknown: nothing is sent again where each submit is billed', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false, submit: [throwing, 'accept'] } });
    const { jobId } = await begin(app);
    assert.equal((await app.drain()).length, 1);
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(app.vendor.submits, [jobId]);
    assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
  });

  it('a retryable submit is sent again by a delayed task: after 2 s, 4 s, … or the provider’s Retry-After, at most 5 min', async () => {
    await using app = await createTestApp({
      overrides: { randomBytes: withoutJitter },
      vendor: {
        isRepeatable: false,
        submit: [busy, { ...busy, retryAfterMs: 90_000 }, { ...busy, retryAfterMs: 1e12 }, 'accept'],
      },
    });
    const { userId, jobId } = await begin(app);
    for (const seconds of [2, 90, 300]) {
      assert.deepEqual(await app.drain(), []);
      assert.deepEqual(await waitingTasks(app, jobId), [['submit_generation', seconds]]);
      assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 0 });
      assert.deepEqual(
        await waitingTasks(app, jobId),
        [['submit_generation', seconds]],
        'a sweep does not change the delay',
      );
      await app.makeAllDue();
    }
    await app.drain();
    assert.deepEqual([(await app.job(jobId)).status, await app.balance(userId)], ['completed', 0]);
    assert.equal(app.vendor.submits.length, 4);
    await app.assertSound();
  });

  it('after four retryable submits the job fails with ERR_5002 and is refunded, without waiting for the deadline', async () => {
    await using app = await createTestApp({
      overrides: { randomBytes: withoutJitter },
      vendor: { isRepeatable: false, submit: [busy] },
    });
    const { userId, jobId } = await begin(app);
    for (const seconds of [2, 4, 8]) {
      assert.deepEqual(await app.drain(), []);
      assert.deepEqual(await waitingTasks(app, jobId), [['submit_generation', seconds]]);
      await app.makeAllDue();
    }
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5002', 1]);
    assert.equal(app.vendor.submits.length, 4);
    await app.assertSound();
  });

  it('a declined submit fails the job with the provider’s code and refunds the credits once', async () => {
    await using app = await createTestApp({
      vendor: { submit: [{ outcome: 'declined', code: 'ERR_5003', cause: 'not this prompt' }] },
    });
    const { userId, jobId } = await begin(app);
    await app.drain();
    await submitGeneration(app.ctx, jobId, never);
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5003', 1]);
    assert.deepEqual(app.vendor.submits, [jobId]);
    await app.assertSound();
  });

  it('a job whose submit was declined fails although the server was killed before it recorded the failure', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { userId, jobId } = await begin(app);
    const attemptId = await claimAttempt(app.ctx.db, jobId);
    await app.owner.query(`update provider_attempts set state = 'declined', closed_at = now() where id = $1`, [
      attemptId,
    ]);
    await app.drain();
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5003', 1]);
    assert.deepEqual(app.vendor.submits, []);
    await app.assertSound();
  });

  it('a declined job fails once although the database’s answer was lost', async () => {
    await using app = await createTestApp({
      vendor: {
        isRepeatable: false,
        submit: [{ outcome: 'declined', code: 'ERR_5003', cause: 'no', reason: 'moderated' }],
      },
    });
    const { userId, jobId } = await begin(app);
    let losses = 1;
    const call: typeof app.ctx.db.call = async (procedure, args) => {
      const result = await app.ctx.db.call(procedure, args);
      if (procedure !== 'fail_attempt' || losses === 0) return result;
      losses -= 1;
      throw Object.assign(new Error('unavailable'), { code: 'ECONNRESET' });
    };
    await submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, never);
    const { error_code, error_reason } = await app.job(jobId);
    assert.deepEqual([error_code, error_reason, await app.balance(userId)], ['ERR_5003', 'moderated', 1]);
    await app.assertSound();
  });

  it('a job that is cancelled during its submit is cancelled at the provider', async () => {
    await using app = await createTestApp();
    const { userId, jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
          return 'accept';
        },
      ],
    });
    await app.drain();
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5004', 1]);
    assert.ok(app.vendor.cancels.includes(jobId));
    await app.assertSound();
  });

  it('a job that is cancelled during its submit is cancelled at the provider although the worker is killed after the answer', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { userId, jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
          // Its first clean-up task has nothing to cancel yet.
          await app.owner.query(
            `select graphile_worker.complete_jobs(array_agg(id)) from graphile_worker.jobs where key = $1`,
            [`clean_up:${jobId}`],
          );
          return 'accept';
        },
      ],
    });
    const killed = new Error('killed');
    const call: typeof app.ctx.db.call = async (procedure, args) => {
      const result = await app.ctx.db.call(procedure, args);
      if (procedure === 'mark_submitted') throw killed;
      return result;
    };
    const signal = AbortSignal.abort(killed);
    const submitted = submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, signal);
    await assert.rejects(submitted, (error: Error) => error === killed || error.cause === killed);
    assert.deepEqual(app.vendor.cancels, []);
    await app.drain();
    assert.deepEqual(app.vendor.cancels, [jobId]);
    await app.assertSound();
  });

  it('an error before anything is sent leaves no unknown outcome: the next attempt sends it', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    const read: typeof app.ctx.db.read = new Proxy(app.ctx.db.read, {
      get: () => () => {
        throw new Error('unavailable');
      },
    });
    await assert.rejects(submitGeneration({ ...app.ctx, db: { ...app.ctx.db, read } }, jobId, never), /unavailable/);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.deepEqual(app.vendor.submits, [jobId]);
  });

  it('the provider’s answer is stored after a restart of the database, since its id is known nowhere else', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    let failures = 1;
    const call: typeof app.ctx.db.call = (procedure, args) => {
      if (procedure !== 'mark_submitted' || failures === 0) return app.ctx.db.call(procedure, args);
      failures -= 1;
      return Promise.reject(Object.assign(new Error('unavailable'), { code: 'ECONNREFUSED' }));
    };
    await submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, never);
    assert.equal((await app.job(jobId)).provider_job_id, `vendor-${jobId}-1`);
    assert.deepEqual(app.vendor.submits, [jobId]);
  });

  it('an answer that arrives after the attempt was recorded as unknown is still used', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          // A second worker, which assumes that the first was killed.
          await submitGeneration(app.ctx, jobId, never);
          assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
          return 'accept';
        },
      ],
    });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.deepEqual(app.vendor.submits, [jobId]);
    await app.assertSound();
  });

  it('a job whose provider is not configured fails at once, unless a submit may have been sent', async () => {
    await using app = await createTestApp({ overrides: { providers: new Map() } });
    const [fresh, begun] = [await begin(app), await begin(app)];
    await app.ctx.db.call('begin_attempt', { job_id: begun.jobId });
    await app.drain();
    assert.deepEqual([(await app.job(fresh.jobId)).error_code, await app.balance(fresh.userId)], ['ERR_5002', 1]);
    assert.deepEqual([(await app.job(begun.jobId)).status, await app.balance(begun.userId)], ['pending', 0]);
    assert.equal((await app.attempts(begun.jobId))[0]?.state, 'unknown');
    await app.assertSound();
  });

  it('a submit is aborted when the worker stops, and continues with the next worker', async () => {
    await using app = await createTestApp({ vendor: { submit: [hang(), 'accept'] } });
    const { jobId } = await begin(app);
    const stopping = new AbortController();
    const draining = app.drain({ signal: stopping.signal });
    while (app.vendor.submits.length === 0) await new Promise(setImmediate);
    stopping.abort(new Error('stopping'));
    assert.match(String((await draining)[0]), /stopping/);
    await app.makeAllDue();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });
});

async function throwing(): Promise<never> {
  throw new TypeError('a bug in the adapter');
}
