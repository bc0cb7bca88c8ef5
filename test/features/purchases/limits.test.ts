/** How often purchases may be reported. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertCredited, assertRefused, openShop } from './shop.ts';

const shop = await openShop({ RATE_LIMIT_PURCHASES_PER_HOUR: '6' });
after(() => shop[Symbol.asyncDispose]());

test('every report counts against the purchase limit, also a repeated, a malformed and a refused one', async () => {
  const guest = await shop.guest();
  const call = (body: object, headers = {}) => shop.people.call(guest.token, 'update-credits', body, headers);
  const { transactionId } = shop.bought();
  const key = { 'Idempotency-Key': randomUUID() };
  const first = await shop.claimById(guest, transactionId, key);
  assertCredited(first, 10, 10);
  assert.equal(first.headers.get('RateLimit'), '"purchases";r=5;t=3600');
  assertCredited(await shop.claimById(guest, transactionId, key), 10, 10);
  assertRefused(await call({}), 400, 'ERR_4006', 'missing');
  assertRefused(await call({ transaction_id: 5 }), 400, 'ERR_4006');
  assertRefused(await call({ transaction_id: transactionId }, { 'Idempotency-Key': 'x' }), 400, 'ERR_4006');
  const last = await call({ signed_transaction: 'a.b.c' });
  assertRefused(last, 400, 'ERR_4011', 'signature');
  assert.match(last.headers.get('RateLimit') ?? '', /^"purchases";r=0;t=\d+$/);

  const refused = await call({ transaction_id: 5 });
  assertRefused(refused, 429, 'ERR_4004');
  assert.equal(String(refused.body.error.details.retry_after), refused.headers.get('Retry-After'));
  assertCredited(await shop.claimById(await shop.guest(), shop.bought().transactionId), 10, 10);
});
