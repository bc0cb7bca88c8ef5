import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBulkhead } from '../../src/kernel/bulkhead.ts';

/** A bulkhead whose clock stands still until it is turned, and work in it that goes on until it is let go. */
function openBulkhead(slots: number) {
  let nowMs = 1_000_000;
  const bulkhead = createBulkhead({ slots, clock: { now: () => new Date(nowMs) } });
  const turn = (ms: number) => {
    nowMs += ms;
  };
  const stay = (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    return { visit: bulkhead.run(name, () => promise), leave: () => resolve('done'), fail: reject };
  };
  /** After how long whoever comes now is to come back; 0 where there is room. */
  const waitMsFor = async (name: string) => {
    const visit = await bulkhead.run(name, async () => {});
    return visit.hasRun ? 0 : visit.retryAfterMs;
  };
  return { bulkhead, turn, stay, waitMsFor };
}

describe('a bulkhead', () => {
  it('lets so many of each name in, does nothing for the others, and fills for nobody else', async () => {
    const { bulkhead, stay } = openBulkhead(2);
    const [first, second] = [stay('fal'), stay('fal')];
    let hasRun = false;
    const third = await bulkhead.run('fal', async () => {
      hasRun = true;
    });
    assert.deepEqual([third.hasRun, hasRun], [false, false]);
    assert.deepEqual(await bulkhead.run('runway', async () => 'here'), { hasRun: true, result: 'here' });
    first.leave();
    assert.deepEqual(await first.visit, { hasRun: true, result: 'done' });
    assert.deepEqual(await bulkhead.run('fal', async () => 'in'), { hasRun: true, result: 'in' });
    second.leave();
    await second.visit;
  });

  it('has the place back of whoever fails', async () => {
    const { bulkhead, stay } = openBulkhead(1);
    const failing = stay('fal');
    failing.fail(new Error('no'));
    await assert.rejects(failing.visit, /no/);
    assert.equal((await bulkhead.run('fal', async () => {})).hasRun, true);
  });

  it('has those whom it turns away come back one after the other, soon, and none of a long line too late', async () => {
    const { waitMsFor, stay, turn } = openBulkhead(1);
    const inside = stay('fal');
    const line = [];
    for (let waiting = 0; waiting < 60; waiting += 1) line.push(await waitMsFor('fal'));
    assert.deepEqual(line.slice(0, 4), [500, 750, 1_000, 1_250]);
    assert.equal(Math.max(...line), 10_000);
    turn(600_000);
    assert.equal(await waitMsFor('fal'), 500, 'the line has gone by');
    turn(-3_600_000);
    assert.equal(await waitMsFor('fal'), 10_000, 'a clock that was set back keeps nobody away');
    inside.leave();
    await inside.visit;
    assert.equal(await waitMsFor('fal'), 0);
  });
});
