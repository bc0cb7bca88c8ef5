/** The initial grant while Apple takes calls and never answers them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { startApple } from './support/apple.ts';
import { assertNoEntry, enter, grantsOf, knock } from './support/phone.ts';
import { OWN_SERVER } from './support/target.ts';

describe('Apple never answers', { ...OWN_SERVER, concurrency: true }, () => {
  test('a question: a new device has an account in time, a known one 503, and the grant comes later', async () => {
    await using apple = await startApple();
    await using server = await startServerOnDatabase({ env: { ...apple.env, WORKER: 'off' } });
    const [id, device, knownId, knownDevice] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await enter(server.url, knownId, knownDevice);
    const heal = apple.fail('query_two_bits', { isApplied: false, ending: 'hang' });
    const [poor, refused] = await Promise.all([enter(server.url, id, device), knock(server.url, knownId, knownDevice)]);
    assert.deepEqual([poor.credits_remaining, poor.is_new], [0, true]);
    assertNoEntry(refused);
    heal();
    assert.equal((await enter(server.url, id, device)).credits_remaining, 10);
  });

  for (const isApplied of [false, true]) {
    const what = isApplied ? 'that it carried out' : 'that it did not carry out';
    test(`an update ${what}: the next verified call of the device brings the credits, once`, async () => {
      await using apple = await startApple();
      await using server = await startServerOnDatabase({ env: { ...apple.env, WORKER: 'off' } });
      const [id, device] = [randomUUID(), randomUUID()];
      const heal = apple.fail('update_two_bits', { isApplied, ending: 'hang' });
      const first = await enter(server.url, id, device);
      assert.equal(first.credits_remaining, 0);
      heal();
      for (let visit = 0; visit < 2; visit += 1) {
        assert.equal((await enter(server.url, id, device)).credits_remaining, 10);
        assert.equal((await enter(server.url, randomUUID(), device)).credits_remaining, 0);
      }
      assert.equal(await grantsOf(server.url, first), 1);
    });
  }
});
