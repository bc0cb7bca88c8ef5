import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createMoneyWorld, hashOf, type MoneyWorld } from '../support/money.ts';
import { claimAttempt } from '../support/procedures.ts';

describe('a paid generation', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const ledger = async (jobId: string) =>
    (await world.owner.query('select change, reason from quota_log where job_id = $1 order by seq', [jobId])).rows;
  const status = async (jobId: string) =>
    (await world.owner.query('select status, error_code from video_jobs where job_id = $1', [jobId])).rows[0];
  const cancel = async (
    userId: string,
    jobId: string,
    key?: string,
  ): Promise<{ outcome: string; response?: unknown }> =>
    world.db.call('cancel_generation', {
      user_id: userId,
      job_id: jobId,
      idempotency_key: key,
      request_hash: key ? hashOf(jobId) : undefined,
    });

  it('charges each key once: 25 keys, each sent twice at once, balance for 10', async () => {
    const userId = await world.user(10);
    const keys = Array.from({ length: 25 }, () => randomUUID());
    const answers = await Promise.all(
      [...keys, ...keys].map(async (key) => ({ key, ...(await world.begin(userId, { idempotency_key: key })) })),
    );
    assert.equal(await world.balance(userId), 0);
    const jobs = new Map<string, Set<string>>();
    for (const { key, response } of answers) {
      if (response) jobs.set(key, (jobs.get(key) ?? new Set()).add(response.job_id));
    }
    assert.equal(jobs.size, 10);
    assert.ok([...jobs.values()].every((ids) => ids.size === 1));
    const { rows } = await world.owner.query(
      `select count(*)::int as charges from quota_log where user_id = $1 and reason = 'video_generation'`,
      [userId],
    );
    assert.equal(rows[0].charges, 10);
    assert.ok(answers.every(({ outcome }) => ['created', 'replayed', 'insufficient_credits'].includes(outcome)));
    await world.assertInvariants();
  });

  it('answers a repeated key with the first answer, and another request with that key with key_reused', async () => {
    const userId = await world.user(10);
    const key = randomUUID();
    const first = await world.begin(userId, { idempotency_key: key });
    const again = await world.begin(userId, { idempotency_key: key });
    assert.equal(again.outcome, 'replayed');
    assert.deepEqual(again.response, first.response);
    const other = await world.begin(userId, { idempotency_key: key, request_hash: hashOf('another') });
    assert.equal(other.outcome, 'key_reused');
    assert.equal(await world.balance(userId), 9);
  });

  it('keeps the keys of different users apart', async () => {
    const [one, two] = await Promise.all([world.user(1), world.user(1)]);
    const key = randomUUID();
    const answers = await Promise.all([
      world.begin(one, { idempotency_key: key }),
      world.begin(two, { idempotency_key: key }),
    ]);
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ['created', 'created'],
    );
    assert.notEqual(answers[0].response?.job_id, answers[1].response?.job_id);
  });

  it('uses up a key only by a charge: a request without enough credits can be repeated after a purchase', async () => {
    const userId = await world.user();
    const key = randomUUID();
    const rejected = await world.begin(userId, { idempotency_key: key });
    assert.deepEqual(rejected, { outcome: 'insufficient_credits', required: 1, available: 0 });
    await world.call('add_credits', { user_id: userId, amount: 1, reason: 'iap_purchase' });
    assert.equal((await world.begin(userId, { idempotency_key: key })).outcome, 'created');
  });

  it('accepts a key again after its 24 hours', async () => {
    const userId = await world.user(2);
    const key = randomUUID();
    await world.begin(userId, { idempotency_key: key });
    await world.owner.query(`update idempotency_log set expires_at = now() - interval '1 second' where user_id = $1`, [
      userId,
    ]);
    assert.equal((await world.begin(userId, { idempotency_key: key, request_hash: hashOf('new') })).outcome, 'created');
  });

  it('charges each started second where the model is priced by the second, and stores the price on the job', async () => {
    const userId = await world.user(20);
    const { rows } = await world.owner.query(
      `select id, name from models where name in ('Cinematic', 'Cinematic Fast', 'Kling', 'Pika')`,
    );
    const models = new Map(rows.map((row) => [row.name, row.id]));
    for (const [name, duration, credits] of [
      ['Cinematic', 6, 6],
      ['Cinematic Fast', 6, 3],
      ['Kling', 5, 2],
      ['Pika', 6, 6],
    ] as const) {
      const begun = await world.begin(userId, { model_id: models.get(name), settings: { duration } });
      assert.equal(begun.response?.credits_used, credits, name);
    }
    await world.assertInvariants();
  });

  it('is rejected for a disabled model, with nothing charged', async () => {
    const userId = await world.user(5);
    const { rows } = await world.owner.query(`select id from models where name = 'Sora 2'`);
    assert.equal((await world.begin(userId, { model_id: rows[0].id })).outcome, 'model_unavailable');
    assert.equal(await world.balance(userId), 5);
  });

  it('ends once when completion, failure, cancellation and the deadline race, and the credits match its end', async () => {
    const userId = await world.user(40);
    for (let round = 0; round < 20; round += 1) {
      const jobId = await world.job(userId);
      await world.submit(jobId);
      const before = await world.balance(userId);
      const [finished, ...failed] = await Promise.all([
        world.finish(jobId),
        world.fail(jobId),
        world.fail(jobId),
        cancel(userId, jobId).then(({ outcome }) => outcome === 'cancelled'),
      ]);
      assert.equal([finished, ...failed].filter(Boolean).length, 1);
      assert.equal(await world.balance(userId), finished ? before : before + 1);
    }
    await world.assertInvariants();
  });

  it('refunds exactly what it charged, once, and not as lifetime credits', async () => {
    const userId = await world.user(10);
    const jobId = await world.job(userId);
    assert.equal(await world.fail(jobId), true);
    assert.equal(await world.fail(jobId), false);
    assert.deepEqual(await ledger(jobId), [
      { change: -1, reason: 'video_generation' },
      { change: 1, reason: 'generation_failed_refund' },
    ]);
    const { rows } = await world.owner.query('select credits_remaining, credits_total from users where id = $1', [
      userId,
    ]);
    assert.deepEqual(rows[0], { credits_remaining: 10, credits_total: 10 });
  });

  it('refunds what the job cost even after its model’s price has changed', async () => {
    const userId = await world.user(10);
    const jobId = await world.job(userId);
    await world.owner.query('update models set cost_per_generation = 9 where id = $1', [world.modelId]);
    await world.fail(jobId);
    await world.owner.query('update models set cost_per_generation = 1 where id = $1', [world.modelId]);
    assert.equal(await world.balance(userId), 10);
  });

  it('stays ended: a late result changes nothing', async () => {
    const userId = await world.user(10);
    const jobId = await world.job(userId);
    await world.submit(jobId);
    await world.fail(jobId);
    assert.equal(await world.finish(jobId), false);
    await world.submit(jobId);
    assert.deepEqual(await status(jobId), { status: 'failed', error_code: 'ERR_5003' });
    await assert.rejects(
      world.owner.query(`update video_jobs set status = 'processing', completed_at = null where job_id = $1`, [jobId]),
      { code: '23514' },
    );
  });

  it('is cancelled by its owner alone, before it ends, and the same key gets the same answer', async () => {
    const [owner, otherUser] = await Promise.all([world.user(3), world.user(3)]);
    const jobId = await world.job(owner);
    assert.deepEqual(await cancel(otherUser, jobId), { outcome: 'not_found' });
    const key = randomUUID();
    const first = await cancel(owner, jobId, key);
    assert.deepEqual(first.response, { success: true, refunded: 1, credits_remaining: 3 });
    assert.deepEqual((await cancel(owner, jobId, key)).response, first.response);
    assert.equal((await cancel(owner, jobId)).outcome, 'final');
    assert.equal(await world.balance(owner), 3);
    assert.deepEqual(await status(jobId), { status: 'failed', error_code: 'ERR_5004' });
  });

  it('still counts towards the rate limit after it has failed or was deleted', async () => {
    const userId = await world.user(10);
    for (let i = 0; i < 3; i += 1) {
      const jobId = await world.job(userId);
      await world.fail(jobId);
      await world.db.call('delete_generation', { user_id: userId, job_id: jobId });
    }
    const rejected = await world.begin(userId, { limit_account: 3 });
    assert.equal(rejected.outcome, 'rate_limited');
    assert.equal(rejected.scope, 'account');
    assert.equal(await world.balance(userId), 10);
  });

  it('keeps to the limits by account, by IP address and by running jobs when calls race', async () => {
    const userId = await world.user(30);
    const byAccount = await Promise.all(Array.from({ length: 12 }, () => world.begin(userId, { limit_account: 4 })));
    assert.equal(byAccount.filter(({ outcome }) => outcome === 'created').length, 4);

    const address = '203.0.113.7';
    const many = await Promise.all(Array.from({ length: 8 }, () => world.user(2)));
    const byAddress = await Promise.all([...many, ...many].map((id) => world.begin(id, { address, limit_address: 5 })));
    assert.equal(byAddress.filter(({ outcome }) => outcome === 'created').length, 5);
    assert.ok(byAddress.every(({ outcome, scope }) => outcome === 'created' || scope === 'address'));

    const busy = await world.user(30);
    const running = await Promise.all(Array.from({ length: 12 }, () => world.begin(busy, { limit_in_flight: 3 })));
    assert.equal(running.filter(({ outcome }) => outcome === 'created').length, 3);
    await world.assertInvariants();
  });

  it('is allowed again when the oldest generation leaves the rate limit’s window', async () => {
    const userId = await world.user(10);
    await world.begin(userId, { limit_account: 1 });
    assert.equal((await world.begin(userId, { limit_account: 1 })).outcome, 'rate_limited');
    await world.owner.query(`update rate_limit_log set created_at = now() - interval '61 minutes' where user_id = $1`, [
      userId,
    ]);
    assert.equal((await world.begin(userId, { limit_account: 1 })).outcome, 'created');
  });

  it('has one attempt at a time: a second begins only after a retryable one', async () => {
    const userId = await world.user(10);
    const jobId = await world.job(userId);
    const attempt = () => world.db.call('begin_attempt', { job_id: jobId });
    const claims = await Promise.all([attempt(), attempt(), attempt()]);
    assert.equal(claims.filter(({ outcome }) => outcome === 'claimed').length, 1);
    const ids = new Set(claims.map((claim) => ('attempt_id' in claim ? claim.attempt_id : '')));
    assert.equal(ids.size, 1);
    await world.db.call('close_attempt', { attempt_id: [...ids][0] ?? '', state: 'retryable', error: '503' });
    const second = await attempt();
    assert.ok(second.outcome === 'claimed');
    await world.db.call('close_attempt', { attempt_id: second.attempt_id, state: 'unknown', error: 'cut' });
    assert.equal((await attempt()).outcome, 'unknown');
    assert.equal((await status(jobId)).status, 'pending');
    const late = await world.db.call('mark_submitted', {
      job_id: jobId,
      attempt_id: second.attempt_id,
      provider_job_id: 'found-later',
    });
    assert.equal(late.outcome, 'submitted');
  });

  it('either fails with its last attempt or continues with it, when a retryable answer and a confirmation race', async () => {
    const userId = await world.user(20);
    for (let round = 0; round < 20; round += 1) {
      const jobId = await world.job(userId);
      const attempt_id = await claimAttempt(world.db, jobId);
      const failure = { attempt_id, state: 'retryable', error_code: 'ERR_5002', cause: '503' };
      const [failed, confirmed] = await Promise.all([
        world.db.call('fail_attempt', failure),
        world.db.call('confirm_attempt', { job_id: jobId, provider_job_id: `taken-${jobId}` }),
      ]);
      assert.ok(['failed none', 'closed submitted'].includes(`${failed.outcome} ${confirmed.outcome}`));
      const { rows } = await world.owner.query(
        'select j.status, a.state from video_jobs j join provider_attempts a using (job_id) where j.job_id = $1',
        [jobId],
      );
      const ending = failed.outcome === 'failed' ? ['failed', 'retryable'] : ['processing', 'accepted'];
      assert.deepEqual([rows[0].status, rows[0].state], ending);
      assert.equal((await world.db.call('fail_attempt', failure)).outcome, 'closed', 'the outcome does not change');
    }
    await world.assertInvariants();
  });

  it('that its user has cancelled stays cancelled when its attempt is declined later', async () => {
    const userId = await world.user(2);
    const jobId = await world.job(userId);
    const attempt_id = await claimAttempt(world.db, jobId);
    await cancel(userId, jobId);
    const failure = { attempt_id, state: 'declined', error_code: 'ERR_5003', cause: 'no', reason: 'moderated' };
    assert.deepEqual(await world.db.call('fail_attempt', failure), { outcome: 'final' });
    assert.equal((await status(jobId)).error_code, 'ERR_5004');
    assert.equal(await world.balance(userId), 2);
    await assert.rejects(world.db.call('fail_attempt', { ...failure, state: 'unknown' }), { code: '22023' });
    await assert.rejects(world.db.call('close_attempt', { attempt_id, state: 'declined', error: 'no' }), {
      code: '22023',
    });
    await world.assertInvariants();
  });

  it('updates the counters of a user’s jobs by status', async () => {
    const userId = await world.user(10);
    const [a, b, c] = [await world.job(userId), await world.job(userId), await world.job(userId)];
    await world.submit(a);
    await world.finish(a);
    await world.fail(b);
    await world.db.call('delete_generation', { user_id: userId, job_id: b });
    assert.equal(await world.db.call('delete_generation', { user_id: userId, job_id: c }), 'running');
    const { rows } = await world.owner.query(
      'select status, jobs from job_counters where user_id = $1 and jobs > 0 order by status',
      [userId],
    );
    assert.deepEqual(rows, [
      { status: 'completed', jobs: 1 },
      { status: 'pending', jobs: 1 },
    ]);
    await world.assertInvariants();
  });
});
