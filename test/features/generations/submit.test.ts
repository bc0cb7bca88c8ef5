import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { submitGeneration } from '../../../src/features/generations/worker/submit.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { claimAttempt } from '../../support/procedures.ts';
import { hang } from '../../support/providers.ts';

const never = new AbortController().signal;
const refused = { outcome: 'retryable', cause: '429', isBusy: true } as const;
const withoutJitter = (bytes: number) => new Uint8Array(bytes);

/** A user with one credit, and the job that it paid for. */
async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

/** What is still to be done for the job, and when. */
async function waits(app: TestApp, jobId: string): Promise<[string, number][]> {
  return (await app.tasksOf(jobId))
    .filter(({ isLocked }) => !isLocked)
    .map(({ task, dueMs }) => [task, Math.ceil(dueMs / 1000)]);
}

describe('handing a generation to its provider', () => {
  it('an unknown outcome is never sent again where each submit is billed; the deadline gives the credits back', async () => {
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

  it('a provider that knows our id is asked again under the same attempt', async () => {
    const cut = { outcome: 'unknown', cause: 'no answer' } as const;
    await using app = await createTestApp({ vendor: { isRepeatable: true, submit: [cut, cut, 'accept'] } });
    const { jobId } = await begin(app);
    for (let round = 0; round < 4; round += 1) {
      await app.drain();
      await app.hasten();
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
    await app.hasten();
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(app.vendor.submits, [jobId]);
    assert.equal((await app.attempts(jobId))[0]?.state, 'unknown');
  });

  it('refused, it is sent again by a task of its own: after 2 s, 4 s, … or what the provider asks for, within 5 min', async () => {
    await using app = await createTestApp({
      overrides: { randomBytes: withoutJitter },
      vendor: {
        isRepeatable: false,
        submit: [refused, { ...refused, retryAfterMs: 90_000 }, { ...refused, retryAfterMs: 1e12 }, 'accept'],
      },
    });
    const { userId, jobId } = await begin(app);
    for (const seconds of [2, 90, 300]) {
      assert.deepEqual(await app.drain(), []);
      assert.deepEqual(await waits(app, jobId), [['submit_generation', seconds]]);
      assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 0 });
      assert.deepEqual(await waits(app, jobId), [['submit_generation', seconds]], 'a sweep leaves the wait as it is');
      await app.hasten();
    }
    await app.drain();
    assert.deepEqual([(await app.job(jobId)).status, await app.balance(userId)], ['completed', 0]);
    assert.equal(app.vendor.submits.length, 4);
    await app.assertSound();
  });

  it('refused four times, it fails with ERR_5002 and the credits are back; nobody is kept waiting for the deadline', async () => {
    await using app = await createTestApp({
      overrides: { randomBytes: withoutJitter },
      vendor: { isRepeatable: false, submit: [refused] },
    });
    const { userId, jobId } = await begin(app);
    for (const seconds of [2, 4, 8]) {
      assert.deepEqual(await app.drain(), []);
      assert.deepEqual(await waits(app, jobId), [['submit_generation', seconds]]);
      await app.hasten();
    }
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5002', 1]);
    assert.equal(app.vendor.submits.length, 4);
    await app.assertSound();
  });

  it('rejected, it fails with the provider’s reason and gives the credits back once', async () => {
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

  it('rejected under a server that died before it had failed it, it fails all the same', async () => {
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

  it('rejected, it is failed once though the answer of the database was lost on the way', async () => {
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
      throw Object.assign(new Error('away'), { code: 'ECONNRESET' });
    };
    await submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, never);
    const { error_code, error_reason } = await app.job(jobId);
    assert.deepEqual([error_code, error_reason, await app.balance(userId)], ['ERR_5003', 'moderated', 1]);
    await app.assertSound();
  });

  it('cancelled while the submit is under way, the provider is told to stop', async () => {
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

  it('cancelled while the submit is under way, the provider is told to stop even where the worker dies with its answer', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { userId, jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
          // Its first task to clear up has nothing to stop yet.
          await app.owner.query(
            `select graphile_worker.complete_jobs(array_agg(id)) from graphile_worker.jobs where key = $1`,
            [`stop:${jobId}`],
          );
          return 'accept';
        },
      ],
    });
    const died = new Error('died');
    const call: typeof app.ctx.db.call = async (procedure, args) => {
      const result = await app.ctx.db.call(procedure, args);
      if (procedure === 'mark_submitted') throw died;
      return result;
    };
    const dying = AbortSignal.abort(died);
    const submitted = submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, dying);
    await assert.rejects(submitted, (error: Error) => error === died || error.cause === died);
    assert.deepEqual(app.vendor.cancels, []);
    await app.drain();
    assert.deepEqual(app.vendor.cancels, [jobId]);
    await app.assertSound();
  });

  it('what fails before anything is sent leaves no unknown outcome: the next try sends it', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    const read: typeof app.ctx.db.read = new Proxy(app.ctx.db.read, {
      get: () => () => {
        throw new Error('away');
      },
    });
    await assert.rejects(submitGeneration({ ...app.ctx, db: { ...app.ctx.db, read } }, jobId, never), /away/);
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    assert.deepEqual(app.vendor.submits, [jobId]);
  });

  it('the provider’s answer is kept through a restart of the database: its id is known nowhere else', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    let failures = 1;
    const call: typeof app.ctx.db.call = (procedure, args) => {
      if (procedure !== 'mark_submitted' || failures === 0) return app.ctx.db.call(procedure, args);
      failures -= 1;
      return Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    };
    await submitGeneration({ ...app.ctx, db: { ...app.ctx.db, call } }, jobId, never);
    assert.equal((await app.job(jobId)).provider_job_id, `vendor-${jobId}-1`);
    assert.deepEqual(app.vendor.submits, [jobId]);
  });

  it('an answer that comes after the attempt was given up for unknown is still taken', async () => {
    await using app = await createTestApp({ vendor: { isRepeatable: false } });
    const { jobId } = await begin(app);
    app.vendor.script({
      submit: [
        async () => {
          // A second worker, which takes the first for dead.
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

  it('a provider that this server does not have fails it at once, unless bytes may have left for it', async () => {
    await using app = await createTestApp({ overrides: { providers: new Map() } });
    const [fresh, begun] = [await begin(app), await begin(app)];
    await app.ctx.db.call('begin_attempt', { job_id: begun.jobId });
    await app.drain();
    assert.deepEqual([(await app.job(fresh.jobId)).error_code, await app.balance(fresh.userId)], ['ERR_5002', 1]);
    assert.deepEqual([(await app.job(begun.jobId)).status, await app.balance(begun.userId)], ['pending', 0]);
    assert.equal((await app.attempts(begun.jobId))[0]?.state, 'unknown');
    await app.assertSound();
  });

  it('breaks off when the worker stops, and goes on with the next one', async () => {
    await using app = await createTestApp({ vendor: { submit: [hang(), 'accept'] } });
    const { jobId } = await begin(app);
    const stopping = new AbortController();
    const draining = app.drain({ signal: stopping.signal });
    while (app.vendor.submits.length === 0) await new Promise(setImmediate);
    stopping.abort(new Error('stopping'));
    assert.match(String((await draining)[0]), /stopping/);
    await app.hasten();
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
  });
});

async function throwing(): Promise<never> {
  throw new TypeError('a bug of ours');
}
