import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealer } from '../../src/kernel/sealer.ts';

const randomBytes = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const sealer = createSealer('the-key-of-everything-at-rest-0001', 'tokens', randomBytes);

test('a sealed text opens again, whatever it is', async () => {
  for (const text of ['a token', '', 'ü🙂\u0000', 'x'.repeat(8000)]) {
    assert.equal(await sealer.open(await sealer.seal(text, 'app'), 'app'), text);
  }
});

test('it opens after a restart with the same secret', async () => {
  const again = createSealer('the-key-of-everything-at-rest-0001', 'tokens', randomBytes);
  assert.equal(await again.open(await sealer.seal('a token', 'app'), 'app'), 'a token');
});

test('it opens with no other secret, for no other purpose and in no other context', async () => {
  const sealed = await sealer.seal('a token', 'app');
  const others = [
    createSealer('the-key-of-everything-at-rest-0002', 'tokens', randomBytes),
    createSealer('the-key-of-everything-at-rest-0001', 'other tokens', randomBytes),
  ];
  for (const other of others) await assert.rejects(other.open(sealed, 'app'));
  for (const context of ['app2', 'App', '', 'app\u0000']) await assert.rejects(sealer.open(sealed, context));
});

test('it does not open once any byte of it was changed, removed or added', async () => {
  const sealed = await sealer.seal('a token', 'app');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(sealer.open(changed, 'app'), `byte ${at}`);
    await assert.rejects(sealer.open(sealed.slice(0, at), 'app'), `the first ${at} bytes`);
  }
  await assert.rejects(sealer.open(Uint8Array.from([...sealed, 0]), 'app'));
});

test('it shows nothing of the text, and the same text is sealed differently each time', async () => {
  const [one, two] = [await sealer.seal('a token', 'app'), await sealer.seal('a token', 'app')];
  assert.notDeepEqual(one, two);
  assert.notDeepEqual(one.slice(1, 13), two.slice(1, 13), 'each has its own nonce');
  assert.ok(!Buffer.from(one).toString('latin1').includes('token'));
});
