import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoFreeSlot } from '../../src/kernel/bounded-semaphore.ts';
import { createKeyedSlots } from '../../src/kernel/keyed-slots.ts';

/** Work that ends when `end` is called. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { work: () => promise, end: resolve };
}

test('of one key only so many run at once; the next in line takes a slot that becomes free, in order; other keys do not wait', async () => {
  const slots = createKeyedSlots({ slots: 2, waitingMax: 5, waitMs: 60_000 });
  const [first, second] = [held(), held()];
  const running = [slots.run('a', first.work), slots.run('a', second.work)];
  const order: string[] = [];
  const waiting = ['third', 'fourth'].map((name) => slots.run('a', async () => void order.push(name)));
  await slots.run('b', async () => void order.push('other'));
  assert.deepEqual(order, ['other']);
  first.end();
  await Promise.all(waiting);
  assert.deepEqual(order, ['other', 'third', 'fourth']);
  second.end();
  await Promise.all(running);
  await slots.run('a', async () => void order.push('again'));
  assert.equal(order.at(-1), 'again');
});

test('work that waits too long, or finds the line full, is rejected without having run', async () => {
  const slots = createKeyedSlots({ slots: 1, waitingMax: 1, waitMs: 1 });
  const first = held();
  const running = slots.run('a', first.work);
  let ran = 0;
  const waiting = slots.run('a', async () => {
    ran += 1;
  });
  await assert.rejects(
    slots.run('a', async () => {
      ran += 1;
    }),
    NoFreeSlot,
  );
  await assert.rejects(waiting, NoFreeSlot);
  first.end();
  await running;
  assert.equal(ran, 0);
  await slots.run('a', async () => {
    ran += 1;
  });
  assert.equal(ran, 1, 'what left the line holds no slot');
});

test('work that fails gives its slot back', async () => {
  const slots = createKeyedSlots({ slots: 1, waitingMax: 1, waitMs: 60_000 });
  await assert.rejects(
    slots.run('a', () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.equal(await slots.run('a', async () => 'done'), 'done');
});
