import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownTurn } from '../../src/http/own-turn.ts';

test('work that waits for a turn of its own runs in order, one piece per turn of the event loop', async () => {
  const seen: string[] = [];
  const work = ['a', 'b', 'c'].map(async (name) => {
    await ownTurn();
    seen.push(name);
    // What another request does as soon as the event loop comes round.
    setImmediate(() => seen.push(`after ${name}`));
  });
  await Promise.all(work);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['a', 'after a', 'b', 'after b', 'c', 'after c']);
});
