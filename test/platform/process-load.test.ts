import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJudge, measureProcessLoad, type Sample } from '../../src/platform/process-load.ts';

function verdicts(samples: Partial<Sample>[]): (string | null)[] {
  const judge = createJudge();
  return samples.map((sample) => judge({ lateMs: 0, memoryShare: 0.5, ...sample }));
}

describe('the load of a process', () => {
  it('is too much for the event loop when it is late by seconds twice in a row, not when a machine slept once', () => {
    const [late, onTime] = [{ lateMs: 2_500 }, { lateMs: 1_500 }];
    assert.deepEqual(verdicts([late, onTime, late, onTime]), [null, null, null, null]);
    assert.deepEqual(verdicts([late, late, late, onTime]), [null, 'event loop', 'event loop', null]);
  });

  it('is too much for the memory when it is nearly used up for a second, not between two collections', () => {
    const [full, free] = [{ memoryShare: 0.95 }, { memoryShare: 0.85 }];
    assert.deepEqual(verdicts([full, full, full, free, full]), [null, null, null, null, null]);
    assert.deepEqual(verdicts([full, full, full, full, free]), [null, null, null, 'memory', null]);
  });

  it('of this process is none', () => {
    const load = measureProcessLoad();
    assert.equal(load.overload, null);
    load.stop();
  });
});
