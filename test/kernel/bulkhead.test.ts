import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBulkhead } from '../../src/kernel/bulkhead.ts';

/** A bulkhead with a manual clock, and work in it that runs until `finish` or `fail`. */
function createBench(slots: number) {
  let nowMs = 1_000_000;
  const bulkhead = createBulkhead({ slots, clock: { now: () => new Date(nowMs) } });
  const turn = (ms: number) => {
    nowMs += ms;
  };
  const occupySlot = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    return { run: bulkhead.run(name, () => promise), finish: () => resolve('done'), fail: reject };
  };
  /** After how long a call that is made now must retry; 0 where a slot is free. */
  const retryAfterMs = async (name: string) => {
    const result = await bulkhead.run(name, async () => {});
    return result.hasRun ? 0 : result.retryAfterMs;
  };
  return { bulkhead, turn, occupySlot, retryAfterMs };
}

describe('a bulkhead', () => {
  it('runs at most `slots` calls for each name, does not run more, and does not affect other names', async () => {
    const { bulkhead, occupySlot } = createBench(2);
    const [first, second] = [occupySlot('fal'), occupySlot('fal')];
    let hasRun = false;
    const third = await bulkhead.run('fal', async () => {
      hasRun = true;
    });
    assert.deepEqual([third.hasRun, hasRun], [false, false]);
    assert.deepEqual(await bulkhead.run('runway', async () => 'runs'), { hasRun: true, result: 'runs' });
    first.finish();
    assert.deepEqual(await first.run, { hasRun: true, result: 'done' });
    assert.deepEqual(await bulkhead.run('fal', async () => 'runs too'), { hasRun: true, result: 'runs too' });
    second.finish();
    await second.run;
  });

  it('frees the slot of a call that fails', async () => {
    const { bulkhead, occupySlot } = createBench(1);
    const failing = occupySlot('fal');
    failing.fail(new Error('no'));
    await assert.rejects(failing.run, /no/);
    assert.equal((await bulkhead.run('fal', async () => {})).hasRun, true);
  });

  it('spreads the retries of calls without a slot, from 500 ms to at most 10 s', async () => {
    const { retryAfterMs, occupySlot, turn } = createBench(1);
    const running = occupySlot('fal');
    const retries = [];
    for (let waiting = 0; waiting < 60; waiting += 1) retries.push(await retryAfterMs('fal'));
    assert.deepEqual(retries.slice(0, 4), [500, 750, 1_000, 1_250]);
    assert.equal(Math.max(...retries), 10_000);
    turn(600_000);
    assert.equal(await retryAfterMs('fal'), 500, 'all earlier retries are in the past');
    turn(-3_600_000);
    assert.equal(await retryAfterMs('fal'), 10_000, 'the maximum holds after the clock was set back');
    running.finish();
    await running.run;
    assert.equal(await retryAfterMs('fal'), 0);
  });
});
