/** A video that takes too long, on a server with a deadline of three seconds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jobShape } from './support/answers.ts';
import { newGuest, SHORT } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { OWN_SERVER, useServer } from './support/target.ts';

describe('past its deadline', OWN_SERVER, () => {
  const server = useServer({ GENERATION_DEADLINE_SECONDS: '3' });

  test('each of twenty videos fails with ERR_5001, and its credits are refunded once', async () => {
    const [guest, other] = [await newGuest(server.url), await newGuest(server.url)];
    const begun = performance.now();
    const jobs = await Promise.all([guest, other].flatMap((each) => Array.from({ length: 10 }, () => each.start())));
    assert.deepEqual([await guest.balance(), await other.balance()], [0, 0]);
    const [late] = jobs;
    assert.ok(late);
    const job = await guest.waitFor(late.job_id, ['completed', 'failed']);
    assert.ok(performance.now() - begun > 2_900, 'not before the deadline');
    assertShape(job, jobShape);
    assert.deepEqual([job.status, job.error_code, job.video_url], ['failed', 'ERR_5001', null]);
    assert.ok(job.error_message && job.completed_at);
    for (const [index, { job_id }] of jobs.entries()) {
      const owner = index < 10 ? guest : other;
      assert.equal((await owner.waitFor(job_id, ['completed', 'failed'])).error_code, 'ERR_5001');
    }
    assert.deepEqual([await guest.balance(), await other.balance()], [10, 10]);
    assert.equal((await guest.ledger()).length, 21);
    assertRefused(await guest.post('cancel-video-job', { job_id: late.job_id }), 409, 'ERR_4008');
    assert.equal(await guest.balance(), 10);
  });

  test('a video that is fast enough is still made', async () => {
    const guest = await newGuest(server.url);
    const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
    const job = await guest.waitFor(job_id, ['completed', 'failed']);
    // A very busy machine may be too slow: then the credits are refunded instead.
    assert.equal(await guest.balance(), job.status === 'completed' ? 9 : 10);
  });
});
