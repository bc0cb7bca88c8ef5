import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Context } from '../../../src/features/context.ts';
import { pollGeneration } from '../../../src/features/generations/worker/poll.ts';
import { submitGeneration } from '../../../src/features/generations/worker/submit.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { aroundSteps } from './steps.ts';

/** Something that happens to a generation while its worker is in the middle of a step. */
type Event = { name: string; happen(app: TestApp, userId: string, jobId: string): Promise<unknown>; ends: string[] };

const never = new AbortController().signal;

const EVENTS: Event[] = [
  {
    name: 'its user cancels',
    async happen(app, userId, jobId) {
      await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
      // The task that clears up is done before the worker goes on.
      await app.drain();
    },
    ends: ['completed', 'ERR_5004'],
  },
  {
    name: 'its deadline passes',
    async happen(app, _userId, jobId) {
      await app.expire(jobId);
      await sweepGenerations(app.ctx);
      await app.drain();
    },
    ends: ['completed', 'ERR_5001'],
  },
  {
    name: 'another worker does the same task',
    async happen(app, _userId, jobId) {
      await submitGeneration(app.ctx, jobId, never);
      await pollGeneration(app.ctx, jobId, never);
      await app.drain();
    },
    ends: ['completed'],
  },
  {
    name: 'another worker finishes it, and its user deletes it',
    async happen(app, userId, jobId) {
      await submitGeneration(app.ctx, jobId, never);
      await pollGeneration(app.ctx, jobId, never);
      await app.ctx.db.call('delete_generation', { user_id: userId, job_id: jobId });
      await app.drain();
    },
    ends: ['completed'],
  },
];

/** The event comes before the step's effect or after it, and the worker lives on or is killed then. */
const WAYS = [
  [false, false],
  [true, false],
  [true, true],
] as const;

async function workThrough(app: TestApp, jobId: string, ctx: Context): Promise<void> {
  for (let round = 0; round < 8 && (await app.tasksOf(jobId)).length > 0; round += 1) {
    await app.hasten();
    await app.drain({ ctx });
  }
  assert.deepEqual(await app.tasksOf(jobId), []);
}

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  app.vendor.script({ submit: ['accept'], status: [{ state: 'processing', progress: 40 }, 'complete'] });
  // Each of these is a provider's first failure: so many in a row, and nothing would be sold on it.
  await app.owner.query('delete from provider_circuits');
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

describe('a generation ends once, and its files and credits follow, whatever happens in the middle of a step', () => {
  for (const event of EVENTS) {
    it(event.name, async () => {
      await using app = await createTestApp({ vendor: { isRepeatable: true } });
      const steps: string[] = [];
      const plain = await begin(app);
      await workThrough(
        app,
        plain.jobId,
        aroundSteps(app.ctx, ({ name }, take) => take().finally(() => steps.push(name))),
      );
      assert.ok(steps.includes('put videos') && steps.includes('finish_generation'), steps.join());

      for (const [index, name] of steps.entries()) {
        for (const [isAfter, isKilled] of WAYS) {
          const { userId, jobId } = await begin(app);
          const death = new AbortController();
          let hasHappened = false;
          const ctx = aroundSteps(app.ctx, async ({ number }, take) => {
            death.signal.throwIfAborted();
            const isNow = number === index + 1;
            hasHappened ||= isNow;
            if (isNow && !isAfter) await event.happen(app, userId, jobId);
            const result = await take();
            if (isNow && isAfter) await event.happen(app, userId, jobId);
            if (isNow && isKilled) death.abort(new Error('killed'));
            death.signal.throwIfAborted();
            return result;
          });
          await app.drain({ ctx, signal: death.signal });
          await workThrough(app, jobId, death.signal.aborted ? app.ctx : ctx);
          assert.ok(hasHappened, name);
          const where = `${isAfter ? 'after' : 'before'} ${name}${isKilled ? ', killed' : ''}`;
          const job = await app.job(jobId);
          assert.ok(event.ends.includes(job.error_code ?? job.status), `${job.error_code ?? job.status} ${where}`);
          assert.equal(await app.balance(userId), job.status === 'completed' ? 0 : 1, where);
          assert.ok(!app.vendor.spooled.has(jobId), `released, ${where}`);
          assert.ok((app.vendor.bills.get(jobId) ?? 0) <= 1, 'the vendor makes one video at most');
          await app.assertSound();
        }
      }
    });
  }
});
