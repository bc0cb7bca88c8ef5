import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Context } from '../../../src/features/context.ts';
import { sweepGenerations } from '../../../src/features/generations/worker/sweep.ts';
import type { Bulkhead } from '../../../src/kernel/bulkhead.ts';
import { UnusableVideo } from '../../../src/media/unusable-video.ts';
import { createTestApp, fakeProbe, type TestApp } from '../../support/app.ts';
import type { StatusStep, SubmitStep } from '../../support/providers.ts';
import { aroundSteps, workerKilledAt } from './steps.ts';

/** What the vendor and the user do, and how the job ends if no worker is killed. */
type Scenario = {
  name: string;
  isRepeatable: boolean;
  submit?: SubmitStep[];
  status?: (app: TestApp, userId: string) => StatusStep[];
  isUnusable?: boolean;
  /** Every other call finds no free slot for the provider. */
  hasFewSlots?: boolean;
  ends: 'completed' | string;
};

const SCENARIOS: Scenario[] = [
  { name: 'a provider that knows our id', isRepeatable: true, ends: 'completed' },
  { name: 'a provider that bills every submit', isRepeatable: false, ends: 'completed' },
  {
    name: 'a provider that is unavailable at first, then slow',
    isRepeatable: false,
    submit: [{ outcome: 'retryable', cause: '503' }, 'accept'],
    status: () => [{ state: 'queued', queuePosition: 2 }, { state: 'processing', progress: 50 }, 'complete'],
    ends: 'completed',
  },
  {
    name: 'a provider without a free slot for every call',
    isRepeatable: false,
    hasFewSlots: true,
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
    name: 'a provider that declines our account',
    isRepeatable: false,
    submit: [{ outcome: 'declined', code: 'ERR_5002', cause: 'the account is empty' }],
    ends: 'ERR_5002',
  },
  {
    name: 'a provider that declines the prompt',
    isRepeatable: false,
    submit: [{ outcome: 'declined', code: 'ERR_5003', cause: 'no cats', reason: 'moderated' }],
    ends: 'ERR_5003 moderated',
  },
  {
    name: 'a provider that stays unavailable',
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
    name: 'a user who cancels while the job runs',
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

/** Every other call finds no slot, so that each retry finds one. */
function bulkheadWithFewSlots(): Bulkhead {
  let calls = 0;
  return {
    async run(_name, work) {
      calls += 1;
      if (calls % 2 === 1) return { hasRun: false, retryAfterMs: 1_000 };
      return { hasRun: true, result: await work() };
    },
  };
}

/** More rounds of tasks than any scenario here needs. */
const ROUNDS_MAX = 12;

/** Runs all tasks, and those that they add, until none is left or the worker is killed. */
async function work(app: TestApp, jobId: string, worker: { ctx?: Context; signal?: AbortSignal } = {}): Promise<void> {
  for (let round = 1; !worker.signal?.aborted && (await app.tasksOf(jobId)).length > 0; round += 1) {
    assert.ok(round <= ROUNDS_MAX, 'the tasks end');
    await app.makeAllDue();
    await app.drain(worker);
  }
}

async function begin(app: TestApp, scenario: Scenario): Promise<string> {
  const userId = await app.user(1);
  // Without this, the failures of earlier jobs would open the provider's circuit.
  await app.owner.query('delete from provider_circuits');
  app.vendor.script({ submit: scenario.submit ?? ['accept'], status: scenario.status?.(app, userId) ?? ['complete'] });
  return app.generate(userId);
}

/** The side effects of this scenario's tasks, in their order. */
async function stepsOf(app: TestApp, scenario: Scenario): Promise<string[]> {
  const steps: string[] = [];
  const ctx = aroundSteps(app.ctx, ({ name }, run) => {
    steps.push(name);
    return run();
  });
  const jobId = await begin(app, scenario);
  await work(app, jobId, { ctx });
  await assertEnded(app, jobId, scenario.ends);
  return steps;
}

async function assertEnded(app: TestApp, jobId: string, end: string): Promise<void> {
  const { status, error_code: code, error_reason: reason } = await app.job(jobId);
  assert.equal([code ?? status, ...(reason ? [reason] : [])].join(' '), end);
  assert.ok((await app.attempts(jobId)).length <= 4, 'it is not sent again after the last attempt');
  assert.deepEqual(await app.tasksOf(jobId), [], 'no task is left');
  assert.ok(!app.vendor.spooled.has(jobId), 'the spooled file is deleted');
  assert.ok((app.vendor.bills.get(jobId) ?? 0) <= 1, 'the vendor makes one video at most');
}

describe('at whatever step a worker is killed, running the tasks again gives the right result', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      await using app = await createTestApp({
        vendor: { isRepeatable: scenario.isRepeatable },
        overrides: {
          ...(scenario.isUnusable ? { probe: unplayable } : {}),
          ...(scenario.hasFewSlots ? { bulkhead: bulkheadWithFewSlots() } : {}),
        },
      });
      const steps = await stepsOf(app, scenario);
      assert.ok(steps.length >= 3, steps.join());
      for (const [index, name] of steps.entries()) {
        for (const isDone of [false, true]) {
          const jobId = await begin(app, scenario);
          const worker = workerKilledAt(app.ctx, index + 1, isDone);
          await work(app, jobId, worker);
          assert.ok(worker.signal.aborted, `killed at ${name}`);
          await work(app, jobId);
          let end = scenario.ends;
          if ((await app.job(jobId)).status === 'pending') {
            // The submit may have been sent, and the provider cannot be asked about it: the credits are held until the
            // deadline, and nothing is sent again.
            assert.equal(scenario.isRepeatable, false, `${name}, ${isDone}`);
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
