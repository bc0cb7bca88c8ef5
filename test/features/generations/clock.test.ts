import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import type { Clock } from '../../../src/kernel/clock.ts';
import { createTestApp } from '../../support/app.ts';

/** A clock that is hours ahead of the database's. */
const ahead = (hours: number): Clock => ({ now: () => new Date(Date.now() + hours * 3_600_000) });

describe('a server whose clock is wrong', () => {
  it('fails no job before its deadline, and delivers the video', async () => {
    await using app = await createTestApp({ overrides: { clock: ahead(2) } });
    const userId = await app.user(1);
    const jobId = await app.generate(userId);
    assert.deepEqual(await sweepGenerations(app.ctx), { expired: 0, requeued: 0 });
    await app.drain();
    assert.equal((await app.job(jobId)).status, 'completed');
    await app.assertSound();
  });

  it('ends a job at its deadline although it is behind', async () => {
    await using app = await createTestApp({ overrides: { clock: ahead(-2) } });
    const userId = await app.user(1);
    const jobId = await app.generate(userId);
    await app.expire(jobId);
    assert.equal((await sweepGenerations(app.ctx)).expired, 1);
    assert.equal(await app.balance(userId), 1);
  });
});
