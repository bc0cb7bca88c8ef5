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
      // The clean-up task runs before the worker continues.
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
    name: 'another worker runs the same task',
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

/** Whether the event happens after the step's effect, and whether the worker is killed then. */
const CASES = [
  [false, false],
  [true, false],
  [true, true],
] as const;

async function workThrough(app: TestApp, jobId: string, ctx: Context): Promise<void> {
  for (let round = 0; round < 8 && (await app.tasksOf(jobId)).length > 0; round += 1) {
    await app.makeAllDue();
    await app.drain({ ctx });
  }
  assert.deepEqual(await app.tasksOf(jobId), []);
}

async function begin(app: TestApp): Promise<{ userId: string; jobId: string }> {
  app.vendor.script({ submit: ['accept'], status: [{ state: 'processing', progress: 40 }, 'complete'] });
  // Without this, the failures of earlier jobs would open the provider's circuit.
  await app.owner.query('delete from provider_circuits');
  const userId = await app.user(1);
  return { userId, jobId: await app.generate(userId) };
}

describe('a generation ends once, with the right files and credits, whatever happens in the middle of a step', () => {
  for (const event of EVENTS) {
    it(event.name, async () => {
      await using app = await createTestApp({ vendor: { isRepeatable: true } });
      const steps: string[] = [];
      const plain = await begin(app);
      await workThrough(
        app,
        plain.jobId,
        aroundSteps(app.ctx, ({ name }, run) => run().finally(() => steps.push(name))),
      );
      assert.ok(steps.includes('put videos') && steps.includes('finish_generation'), steps.join());

      for (const [index, name] of steps.entries()) {
        for (const [isAfter, isKilled] of CASES) {
          const { userId, jobId } = await begin(app);
          const killed = new AbortController();
          let hasHappened = false;
          const ctx = aroundSteps(app.ctx, async ({ number }, run) => {
            killed.signal.throwIfAborted();
            const isNow = number === index + 1;
            hasHappened ||= isNow;
            if (isNow && !isAfter) await event.happen(app, userId, jobId);
            const result = await run();
            if (isNow && isAfter) await event.happen(app, userId, jobId);
            if (isNow && isKilled) killed.abort(new Error('killed'));
            killed.signal.throwIfAborted();
            return result;
          });
          await app.drain({ ctx, signal: killed.signal });
          await workThrough(app, jobId, killed.signal.aborted ? app.ctx : ctx);
          assert.ok(hasHappened, name);
          const label = `${isAfter ? 'after' : 'before'} ${name}${isKilled ? ', killed' : ''}`;
          const job = await app.job(jobId);
          assert.ok(event.ends.includes(job.error_code ?? job.status), `${job.error_code ?? job.status} ${label}`);
          assert.equal(await app.balance(userId), job.status === 'completed' ? 0 : 1, label);
          assert.ok(!app.vendor.spooled.has(jobId), `released, ${label}`);
          assert.ok((app.vendor.bills.get(jobId) ?? 0) <= 1, 'the vendor makes one video at most');
          await app.assertSound();
        }
      }
    });
  }
});
