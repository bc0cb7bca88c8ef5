/** Cancelling and deleting a video. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Cancelled, cancelledShape, jobShape, successShape } from './support/answers.ts';
import { call, expectStatus } from './support/api.ts';
import { FAILING, type Guest, newGuest, SHORT } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { OWN_SERVER, useServer, useTarget } from './support/target.ts';
import { until } from './support/until.ts';

const target = useTarget();

const cancel = (guest: Guest, jobId: string) => guest.post<Cancelled>('cancel-video-job', { job_id: jobId });

const remove = (guest: Guest, method: string, jobId: string) =>
  call(guest.base, method, 'delete-video-job', { token: guest.token, body: { job_id: jobId } });

async function assertCancels(guest: Guest, jobId: string): Promise<void> {
  const reply = expectStatus(await cancel(guest, jobId), 200);
  assertShape(reply.body, cancelledShape);
  assert.deepEqual(reply.body, { success: true, refunded: 1, credits_remaining: 10 });
  const job = await guest.job(jobId);
  assertShape(job, jobShape);
  assert.deepEqual([job.status, job.error_code, job.video_url], ['failed', 'ERR_5004', null]);
  assert.ok(job.error_message);
  assert.ok(job.completed_at);
  assert.equal(await guest.balance(), 10);
  assertRefused(await cancel(guest, jobId), 409, 'ERR_4008');
  const refunds = (await guest.ledger()).filter(({ reason }) => reason === 'generation_failed_refund');
  assert.deepEqual(
    refunds.map(({ job_id, change }) => [job_id, change]),
    [[jobId, 1]],
  );
  assert.equal((await guest.profile()).credits_total, 10);
}

describe('cancel-video-job', () => {
  test('stops a running video and refunds its credits, once', async () => {
    const guest = await newGuest(target.url);
    const { job_id } = await guest.start();
    await guest.waitFor(job_id, ['processing']);
    await assertCancels(guest, job_id);
  });

  test('is 409 once the video is finished or has failed, and refunds nothing', async () => {
    const guest = await newGuest(target.url);
    const [made, failed] = [
      await guest.start({ prompt: 'a paper boat', settings: SHORT }),
      await guest.start({ prompt: FAILING }),
    ];
    await guest.waitFor(made.job_id, ['completed']);
    await guest.waitFor(failed.job_id, ['failed']);
    for (const { job_id } of [made, failed]) assertRefused(await cancel(guest, job_id), 409, 'ERR_4008');
    assert.equal(await guest.balance(), 9);
    assert.equal((await guest.job(made.job_id)).status, 'completed');
  });

  test('at the same time as the end of the video leaves either the video or the refund', async () => {
    const guest = await newGuest(target.url);
    const jobs = [];
    for (let count = 0; count < 4; count += 1)
      jobs.push(await guest.start({ prompt: `boat ${count}`, settings: SHORT }));
    // Each is cancelled at a different progress, the last ones at their end.
    const replies = await Promise.all(
      jobs.map(async ({ job_id }, index) => {
        await until(
          () => guest.job(job_id),
          ({ status, progress }) => status === 'completed' || status === 'failed' || (progress ?? 0) >= index * 33,
          'progress',
        );
        return cancel(guest, job_id);
      }),
    );
    let delivered = 0;
    for (const [index, { job_id }] of jobs.entries()) {
      const job = await guest.waitFor(job_id, ['completed', 'failed']);
      assert.equal(replies[index]?.status, job.status === 'completed' ? 409 : 200);
      if (job.status === 'completed') delivered += 1;
      else assert.deepEqual([job.error_code, job.video_url], ['ERR_5004', null]);
    }
    assert.equal(await guest.balance(), 10 - delivered);
  });
});

describe('a video that no worker has started', OWN_SERVER, () => {
  const idle = useServer({ WORKER: 'off' });

  test('is cancelled like any other', async () => {
    const guest = await newGuest(idle.url);
    const { job_id } = await guest.start();
    assert.equal((await guest.job(job_id)).status, 'pending');
    await assertCancels(guest, job_id);
  });

  test('cannot be deleted before it has ended', async () => {
    const guest = await newGuest(idle.url);
    const { job_id } = await guest.start();
    for (const method of ['POST', 'DELETE']) assertRefused(await remove(guest, method, job_id), 409, 'ERR_4008');
    await guest.cancel(job_id);
    expectStatus(await remove(guest, 'DELETE', job_id), 200);
  });
});

describe('delete-video-job', () => {
  for (const method of ['POST', 'DELETE']) {
    test(`by ${method}: 409 while the job runs; then the job is gone from every answer but the ledger`, async () => {
      const guest = await newGuest(target.url);
      const { job_id } = await guest.start();
      await guest.waitFor(job_id, ['processing']);
      assertRefused(await remove(guest, method, job_id), 409, 'ERR_4008');
      assert.equal((await guest.job(job_id)).status, 'processing');

      const other = await guest.start();
      await guest.cancel(job_id);
      const reply = expectStatus(await remove(guest, method, job_id), 200);
      assertShape(reply.body, successShape);

      const missing = await guest.get(`get-video-status?job_id=${randomUUID()}`);
      for (const path of ['get-video-status', 'check-video-job-status']) {
        assert.equal((await guest.get(`${path}?job_id=${job_id}`)).text, missing.text);
      }
      assertRefused(await cancel(guest, job_id), 404, 'ERR_4007');
      const list = await guest.jobs();
      assert.deepEqual([list.jobs.map((job) => job.job_id), list.total], [[other.job_id], 1]);
      const rows = (await guest.ledger()).filter((row) => row.job_id === job_id);
      assert.equal(rows.length, 2, 'the ledger keeps its rows');
      assert.equal(await guest.balance(), 9);
      expectStatus(await remove(guest, method, job_id), 200);
      assert.equal((await guest.jobs()).total, 1, 'deleting twice counts once');
      await guest.cancel(other.job_id);
    });
  }

  test('by DELETE takes the job from the query or the body: some proxies drop the body', async () => {
    const guest = await newGuest(target.url);
    const jobs = await Promise.all([guest.start(), guest.start()]);
    for (const { job_id } of jobs) await guest.cancel(job_id);
    const [first = '', second = ''] = jobs.map(({ job_id }) => job_id);
    const ask = (query: string, body?: unknown, headers?: Record<string, string>) =>
      call(guest.base, 'DELETE', `delete-video-job${query}`, { token: guest.token, body, headers });

    for (const [query, body] of [
      ['', undefined],
      ['', {}],
      ['?job_id=', { job_id: null }],
    ] as const) {
      assertRefused(await ask(query, body), 400, 'ERR_4006', { field: 'job_id', reason: 'missing' });
    }
    assertRefused(await ask(`?job_id=${first}`, { job_id: second }), 400, 'ERR_4006', { field: 'job_id' });
    assertRefused(await ask('?job_id=x', { job_id: second }), 400, 'ERR_4006', { field: 'job_id' });
    assertRefused(await ask(`?job_id=${first}&user_id=${randomUUID()}`), 403, 'ERR_4005');
    assert.equal((await guest.jobs()).total, 2);

    expectStatus(await ask(`?job_id=${first.toUpperCase()}`), 200);
    expectStatus(
      await ask(`?job_id=${second}`, JSON.stringify({ job_id: second }), { 'Content-Type': 'text/plain' }),
      200,
    );
    assert.equal((await guest.jobs()).total, 0);
  });

  test('twenty concurrent deletions delete one job', async () => {
    const guest = await newGuest(target.url);
    const [one, two] = [await guest.start({ prompt: FAILING }), await guest.start({ prompt: FAILING })];
    await Promise.all([one, two].map(({ job_id }) => guest.waitFor(job_id, ['failed'])));
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => remove(guest, index % 2 ? 'POST' : 'DELETE', one.job_id)),
    );
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
    const list = await guest.jobs();
    assert.deepEqual([list.total, list.jobs.length], [1, 1]);
  });
});
