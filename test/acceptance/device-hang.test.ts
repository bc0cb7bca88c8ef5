/** The initial grant while Apple accepts calls and never answers them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { startApple } from './support/apple.ts';
import { assertNoSession, checkDevice, grantsOf, onboard } from './support/phone.ts';
import { OWN_SERVER } from './support/target.ts';

describe('Apple never answers', { ...OWN_SERVER, concurrency: true }, () => {
  test('a query: a new device gets an account in time, a known one 503, and the grant comes later', async () => {
    await using apple = await startApple();
    await using server = await startServerOnDatabase({ env: { ...apple.env, WORKER: 'off' } });
    const [id, device, knownId, knownDevice] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await onboard(server.url, knownId, knownDevice);
    const restore = apple.fail('query_two_bits', { isApplied: false, ending: 'hang' });
    const [empty, refused] = await Promise.all([
      onboard(server.url, id, device),
      checkDevice(server.url, knownId, knownDevice),
    ]);
    assert.deepEqual([empty.credits_remaining, empty.is_new], [0, true]);
    assertNoSession(refused);
    restore();
    assert.equal((await onboard(server.url, id, device)).credits_remaining, 10);
  });

  for (const isApplied of [false, true]) {
    const what = isApplied ? 'that it applied' : 'that it did not apply';
    test(`an update ${what}: the next verified call of the device gives the credits, once`, async () => {
      await using apple = await startApple();
      await using server = await startServerOnDatabase({ env: { ...apple.env, WORKER: 'off' } });
      const [id, device] = [randomUUID(), randomUUID()];
      const restore = apple.fail('update_two_bits', { isApplied, ending: 'hang' });
      const first = await onboard(server.url, id, device);
      assert.equal(first.credits_remaining, 0);
      restore();
      for (let count = 0; count < 2; count += 1) {
        assert.equal((await onboard(server.url, id, device)).credits_remaining, 10);
        assert.equal((await onboard(server.url, randomUUID(), device)).credits_remaining, 0);
      }
      assert.equal(await grantsOf(server.url, first), 1);
    });
  }
});
