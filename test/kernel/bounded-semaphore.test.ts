import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBoundedSemaphore, NoFreeSlot } from '../../src/kernel/bounded-semaphore.ts';

/** Work that runs until `finish`. */
function createWork() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = {
    hasStarted: false,
    finish: resolve,
    run: () => {
      state.hasStarted = true;
      return promise;
    },
  };
  return state;
}

describe('a bounded semaphore', () => {
  it('runs no more than its slots, lets the others start in the order of their arrival, and rejects those beyond its line', async () => {
    const semaphore = createBoundedSemaphore({ slots: 1, waitingMax: 2, waitMs: 60_000 });
    const [first, second, third, fourth] = [createWork(), createWork(), createWork(), createWork()];
    const runs = [first, second, third].map((work) => semaphore.run(work.run));
    await assert.rejects(semaphore.run(fourth.run), NoFreeSlot);
    assert.deepEqual([first.hasStarted, second.hasStarted, third.hasStarted], [true, false, false]);
    first.finish();
    await runs[0];
    assert.deepEqual([second.hasStarted, third.hasStarted], [true, false]);
    second.finish();
    third.finish();
    await Promise.all(runs);
    assert.deepEqual([semaphore.isIdle, fourth.hasStarted], [true, false]);
  });

  it('rejects after the longest wait, and never runs that work, also once a slot is free', async () => {
    const semaphore = createBoundedSemaphore({ slots: 1, waitingMax: 2, waitMs: 20 });
    const [first, second] = [createWork(), createWork()];
    const running = semaphore.run(first.run);
    await assert.rejects(semaphore.run(second.run), NoFreeSlot);
    first.finish();
    await running;
    assert.deepEqual([second.hasStarted, semaphore.isIdle], [false, true]);
  });

  it('frees the slot of work that throws', async () => {
    const semaphore = createBoundedSemaphore({ slots: 1, waitingMax: 1, waitMs: 60_000 });
    const failing = semaphore.run(() => Promise.reject(new Error('no')));
    const next = semaphore.run(async () => 'next');
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'next');
  });
});
