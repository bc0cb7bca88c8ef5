/** Scenarios: what an app reports, and what it must not get. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createTestAppStore } from '../../support/app-store.ts';
import { assertCredited, assertRefused, type Scenario } from './shop.ts';

const TEN = 'com.rendio.credits.10';

/** Both ways to report the same transaction, refused for the same reason. */
const refusedFor = (reason: string, fields: object): Scenario[] => [
  [
    `${reason}, by id`,
    async (shop) => {
      const guest = await shop.guest();
      assertRefused(await shop.claimById(guest, shop.bought({ ...fields }).transactionId), 400, 'ERR_4011', reason);
      assert.equal(await shop.balance(guest), 0);
    },
  ],
  [
    `${reason}, signed`,
    async (shop) => {
      const guest = await shop.guest();
      assertRefused(await shop.claimSigned(guest, { ...fields }), 400, 'ERR_4011', reason);
      assert.equal(await shop.balance(guest), 0);
    },
  ],
];

export const CLAIMS: Scenario[] = [
  [
    'a purchase is credited by its id, and a repeat is a success that adds nothing',
    async (shop) => {
      const guest = await shop.guest(3);
      const { transactionId } = shop.bought({ productId: 'com.rendio.credits.50' });
      assertCredited(await shop.claimById(guest, transactionId), 50, 53);
      assertCredited(await shop.claimById(guest, transactionId), 0, 53);
      assert.deepEqual(await shop.reasons(guest), ['iap_purchase', 'iap_purchase']);
    },
  ],
  [
    'a purchase is credited as StoreKit signed it, and then by its id no more',
    async (shop) => {
      const guest = await shop.guest();
      const transaction = shop.bought();
      assertCredited(await shop.claimSigned(guest, transaction), 10, 10);
      assertCredited(await shop.claimById(guest, transaction.transactionId), 0, 10);
    },
  ],
  [
    'a sandbox purchase is found at the sandbox, where it is granted',
    async (shop) => {
      const guest = await shop.guest();
      assertCredited(await shop.claimById(guest, shop.bought({ environment: 'Sandbox' }).transactionId), 10, 10);
    },
  ],
  [
    'a quantity of three is three times the credits',
    async (shop) => {
      const guest = await shop.guest();
      assertCredited(await shop.claimSigned(guest, { quantity: 3, productId: TEN }), 30, 30);
    },
  ],
  [
    'a bonus of the product is credited with it',
    async (shop) => {
      await shop.people.rows(
        `insert into products (product_id, display_name, credits, bonus_credits) values ('bonus', 'Bonus', 10, 3)
         on conflict do nothing`,
      );
      assertCredited(await shop.claimSigned(await shop.guest(), { productId: 'bonus' }), 13, 13);
    },
  ],
  [
    'a product that is no longer for sale is still credited: it was paid for',
    async (shop) => {
      await shop.people.rows(
        `insert into products (product_id, display_name, credits, is_active) values ('old', 'Old', 7, false)
         on conflict do nothing`,
      );
      assertCredited(await shop.claimSigned(await shop.guest(), { productId: 'old' }), 7, 7);
    },
  ],
  ...refusedFor('product', { productId: 'com.example.unknown' }),
  ...refusedFor('type', { type: 'Auto-Renewable Subscription' }),
  ...refusedFor('type', { type: 'Non-Consumable' }),
  ...refusedFor('ownership', { inAppOwnershipType: 'FAMILY_SHARED' }),
  ...refusedFor('quantity', { quantity: 0 }),
  ...refusedFor('quantity', { quantity: 1.5 }),
  ...refusedFor('quantity', { quantity: 1_000_000_000 }),
  ...refusedFor('bundle', { bundleId: 'com.example.other' }),
  ...refusedFor('revoked', { revocationDate: Date.UTC(2026, 0, 2) }),
  [
    'an id that Apple does not know is refused',
    async (shop) =>
      assertRefused(await shop.claimById(await shop.guest(), '2000000000000001'), 400, 'ERR_4011', 'unknown'),
  ],
  [
    'a transaction without id, product or type is refused, although Apple’s library accepts it',
    async (shop) => {
      for (const missing of ['transactionId', 'productId', 'type', 'signedDate'])
        assertRefused(
          await shop.claimSigned(await shop.guest(), { [missing]: undefined }),
          400,
          'ERR_4011',
          'incomplete',
        );
    },
  ],
  [
    'a chain of another root is refused',
    async (shop) => {
      const forged = await (await createTestAppStore()).signTransaction();
      assertRefused(await shop.claimSigned(await shop.guest(), forged), 400, 'ERR_4011', 'signature');
    },
  ],
  [
    'a payload that was changed after it was signed is refused',
    async (shop) => {
      const [header, payload = '', signature] = (await shop.store.signTransaction()).split('.');
      const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), quantity: 100 };
      const text = Buffer.from(JSON.stringify(changed)).toString('base64url');
      const guest = await shop.guest();
      assertRefused(await shop.claimSigned(guest, `${header}.${text}.${signature}`), 400, 'ERR_4011', 'signature');
    },
  ],
  [
    'a transaction made in Xcode, which nobody signs, is refused',
    async (shop) => {
      const answer = await shop.claimSigned(await shop.guest(), { environment: 'Xcode' });
      assert.deepEqual([answer.status, answer.body.error.code], [400, 'ERR_4011']);
    },
  ],
  [
    'absurd ids and bodies are refused before Apple is asked',
    async (shop) => {
      const guest = await shop.guest();
      const calls = shop.store.calls.length;
      const call = (body: object) => shop.people.call(guest.token, 'update-credits', body);
      for (const id of [
        '',
        ' ',
        '../1',
        'a b',
        'x'.repeat(65),
        '１２３',
        "1' or '1'='1",
        '%00',
        '2000/1',
        '.',
        5,
        {},
        [],
      ])
        assertRefused(await call({ transaction_id: id }), 400, 'ERR_4006');
      assertRefused(await call({}), 400, 'ERR_4006', 'missing');
      assertRefused(await call({ transaction_id: null, signed_transaction: null }), 400, 'ERR_4006', 'missing');
      assertRefused(await call({ transaction_id: '1', signed_transaction: 'a.b.c' }), 400, 'ERR_4006');
      assert.equal(shop.store.calls.length, calls);
    },
  ],
  [
    'a purchase belongs to whoever reports it first, and to nobody else',
    async (shop) => {
      const [first, second] = [await shop.guest(), await shop.guest()];
      const { transactionId } = shop.bought();
      assertCredited(await shop.claimById(first, transactionId), 10, 10);
      assertRefused(await shop.claimById(second, transactionId), 409, 'ERR_4012');
      assert.equal(await shop.balance(second), 0);
    },
  ],
  [
    'a purchase that names another, an unknown or no possible account is refused, also if never claimed',
    async (shop) => {
      const [owner, thief] = [await shop.guest(), await shop.guest()];
      for (const appAccountToken of [owner.id, randomUUID(), 'no-uuid']) {
        const { transactionId } = shop.bought({ appAccountToken });
        assertRefused(await shop.claimById(thief, transactionId), 409, 'ERR_4012');
      }
      assert.equal(await shop.balance(thief), 0);
    },
  ],
  [
    'a purchase that names the caller in capitals is the caller’s',
    async (shop) => {
      const guest = await shop.guest();
      const { transactionId } = shop.bought({ appAccountToken: guest.id.toUpperCase() });
      assertCredited(await shop.claimById(guest, transactionId), 10, 10);
    },
  ],
  [
    'an idempotency key repeats the answer, and serves no other purchase',
    async (shop) => {
      const guest = await shop.guest();
      const key = { 'Idempotency-Key': randomUUID() };
      const [one, two] = [shop.bought(), shop.bought()];
      assertCredited(await shop.claimById(guest, one.transactionId, key), 10, 10);
      const again = await shop.claimById(guest, one.transactionId, key);
      assertCredited(again, 10, 10);
      assert.equal(again.headers.get('X-Idempotent-Replay'), 'true');
      assertRefused(await shop.claimById(guest, two.transactionId, key), 422, 'ERR_4009');
      assertCredited(await shop.claimById(guest, two.transactionId), 10, 20);
    },
  ],
];
