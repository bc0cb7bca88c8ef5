import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Context } from '../../../src/features/context.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import type { Bulkhead } from '../../../src/kernel/bulkhead.ts';
import { UnusableVideo } from '../../../src/media/unusable-video.ts';
import { createTestApp, fakeProbe, type TestApp } from '../../support/app.ts';
import type { StatusStep, SubmitStep } from '../../support/providers.ts';
import { aroundSteps, mortal } from './steps.ts';

/** A story that a vendor and a user tell, and how it ends where nobody dies. */
type Story = {
  name: string;
  isRepeatable: boolean;
  submit?: SubmitStep[];
  status?: (app: TestApp, userId: string) => StatusStep[];
  isUnusable?: boolean;
  /** Every other time there is no place for a conversation with the provider. */
  isCrowded?: boolean;
  ends: 'completed' | string;
};

const STORIES: Story[] = [
  { name: 'a provider that knows our id', isRepeatable: true, ends: 'completed' },
  { name: 'a provider that bills every submit', isRepeatable: false, ends: 'completed' },
  {
    name: 'a provider that refuses, then takes its time',
    isRepeatable: false,
    submit: [{ outcome: 'retryable', cause: '503' }, 'accept'],
    status: () => [{ state: 'queued', queuePosition: 2 }, { state: 'processing', progress: 50 }, 'complete'],
    ends: 'completed',
  },
  {
    name: 'a provider that has no place for everybody',
    isRepeatable: false,
    isCrowded: true,
    status: () => [{ state: 'processing', progress: 50 }, 'complete'],
    ends: 'completed',
  },
  {
    name: 'a provider that does not answer at first',
    isRepeatable: true,
    submit: [{ outcome: 'unknown', cause: 'cut' }, 'accept'],
    status: () => [{ state: 'unreachable', cause: 'cut' }, 'complete'],
    ends: 'completed',
  },
  {
    name: 'a provider that will not have us',
    isRepeatable: false,
    submit: [{ outcome: 'declined', code: 'ERR_5002', cause: 'the account is empty' }],
    ends: 'ERR_5002',
  },
  {
    name: 'a provider that declines what is asked for',
    isRepeatable: false,
    submit: [{ outcome: 'declined', code: 'ERR_5003', cause: 'no cats', reason: 'moderated' }],
    ends: 'ERR_5003 moderated',
  },
  {
    name: 'a provider that refuses for ever',
    isRepeatable: true,
    submit: [{ outcome: 'retryable', cause: '503' }],
    ends: 'ERR_5002',
  },
  {
    name: 'a provider that fails later',
    isRepeatable: true,
    status: () => [{ state: 'failed', code: 'ERR_5002', cause: 'out of cats' }],
    ends: 'ERR_5002',
  },
  { name: 'a file that does not play', isRepeatable: true, isUnusable: true, ends: 'ERR_5005' },
  {
    name: 'a user who cancels in the middle',
    isRepeatable: true,
    status: (app, userId) => [
      async ({ jobId }) => {
        await app.ctx.db.call('cancel_generation', { user_id: userId, job_id: jobId });
        return { state: 'processing', progress: 10 };
      },
      'complete',
    ],
    ends: 'ERR_5004',
  },
];

const unplayable = {
  ...fakeProbe,
  async probe() {
    throw new UnusableVideo('not_a_video');
  },
};

/** Turns every other one away, so that each one's next try finds room. */
function crowdedBulkhead(): Bulkhead {
  let visits = 0;
  return {
    async run(_name, work) {
      visits += 1;
      if (visits % 2 === 1) return { hasRun: false, retryAfterMs: 1_000 };
      return { hasRun: true, result: await work() };
    },
  };
}

/** More than the tasks of any story here follow one another. */
const ROUNDS_MAX = 12;

/** Does every task that is left, and those that they make, until there is none or the worker is dead. */
async function work(app: TestApp, jobId: string, worker: { ctx?: Context; signal?: AbortSignal } = {}): Promise<void> {
  for (let round = 1; !worker.signal?.aborted && (await app.tasksOf(jobId)).length > 0; round += 1) {
    assert.ok(round <= ROUNDS_MAX, 'the tasks come to an end');
    await app.hasten();
    await app.drain(worker);
  }
}

async function begin(app: TestApp, story: Story): Promise<string> {
  const userId = await app.user(1);
  // Each of these is a provider's first failure: so many in a row, and nothing would be sold on it.
  await app.owner.query('delete from provider_circuits');
  app.vendor.script({ submit: story.submit ?? ['accept'], status: story.status?.(app, userId) ?? ['complete'] });
  return app.generate(userId);
}

/** What the tasks of this story do, in their order. */
async function stepsOf(app: TestApp, story: Story): Promise<string[]> {
  const steps: string[] = [];
  const ctx = aroundSteps(app.ctx, ({ name }, take) => {
    steps.push(name);
    return take();
  });
  const jobId = await begin(app, story);
  await work(app, jobId, { ctx });
  await assertEnded(app, jobId, story.ends);
  return steps;
}

async function assertEnded(app: TestApp, jobId: string, end: string): Promise<void> {
  const { status, error_code: code, error_reason: reason } = await app.job(jobId);
  assert.equal([code ?? status, ...(reason ? [reason] : [])].join(' '), end);
  assert.ok((await app.attempts(jobId)).length <= 4, 'it is not sent again after the last refusal');
  assert.deepEqual(await app.tasksOf(jobId), [], 'no task is left');
  assert.ok(!app.vendor.spooled.has(jobId), 'the spooled file is gone');
  assert.ok((app.vendor.bills.get(jobId) ?? 0) <= 1, 'the vendor makes one video at most');
}

describe('whatever line a worker dies at, running it again comes to the right end', () => {
  for (const story of STORIES) {
    it(story.name, async () => {
      await using app = await createTestApp({
        vendor: { isRepeatable: story.isRepeatable },
        overrides: {
          ...(story.isUnusable ? { probe: unplayable } : {}),
          ...(story.isCrowded ? { bulkhead: crowdedBulkhead() } : {}),
        },
      });
      const steps = await stepsOf(app, story);
      assert.ok(steps.length >= 3, steps.join());
      for (const [index, name] of steps.entries()) {
        for (const isDone of [false, true]) {
          const jobId = await begin(app, story);
          const life = mortal(app.ctx, index + 1, isDone);
          await work(app, jobId, life);
          assert.ok(life.signal.aborted, `died at ${name}`);
          await work(app, jobId);
          let end = story.ends;
          if ((await app.job(jobId)).status === 'pending') {
            // Bytes may have left, and nobody can ask: the credits are held until the deadline, and nothing is sent again.
            assert.equal(story.isRepeatable, false, `${name}, ${isDone}`);
            assert.equal((await app.attempts(jobId)).at(-1)?.state, 'unknown');
            await app.expire(jobId);
            assert.equal((await sweepGenerations(app.ctx)).expired, 1);
            await work(app, jobId);
            end = 'ERR_5001';
          }
          await assertEnded(app, jobId, end);
          await app.assertSound();
        }
      }
    });
  }
});
