/** A server in its default configuration has a simulated App Store; with a key of Apple's it has none. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { exportPKCS8, generateKeyPair } from 'jose';
import { call } from '../acceptance/support/api.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

const storeUrl = async (url: string) => (await call(url, 'GET', '/auth/v1/settings')).body.app_store_url;
const PATHS = ['/dev/apple/store', '/dev/apple/store.js', '/dev/apple/store/transactions'];

test('the banner names the App Store, a page of the server buys there, and no other website does', async () => {
  await using own = await createTestDatabase();
  await using server = await startTestServer({ env: { DATABASE_URL: own.url } });
  assert.match(server.output(), /simulated +APNs, App Store, DeviceCheck\b/);
  assert.equal(await storeUrl(server.url), '/dev/apple/store');
  for (const path of PATHS) assert.equal((await call(server.url, 'GET', path)).status, 200, path);
  const buy = (headers: Record<string, string>) => {
    const body = { product_id: 'product', app_account_token: randomUUID() };
    return call<{ transaction_id: string }>(server.url, 'POST', '/dev/apple/store/buy', { body, headers });
  };
  const bought = await buy({ 'Sec-Fetch-Site': 'same-origin', Origin: server.url });
  assert.equal(bought.status, 200, bought.text);
  for (const headers of [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://example.com' }, { Origin: 'null' }]) {
    const refused = await buy(headers);
    assert.equal(refused.status, 403);
    assert.doesNotMatch(refused.text, new RegExp(bought.body.transaction_id));
  }
});

test('where the key of the App Store Server API is set, there is no simulated App Store and no page of it', async () => {
  await using own = await createTestDatabase();
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const names = { APPLE_KEY_ID: 'ABCDE12345', APPLE_ISSUER_ID: randomUUID(), APPLE_APP_ID: '1234567890' };
  const key = { ...names, APPLE_BUNDLE_ID: 'com.example.app', APPLE_PRIVATE_KEY: await exportPKCS8(privateKey) };
  await using server = await startTestServer({ env: { DATABASE_URL: own.url, WORKER: 'off', ...key } });
  assert.doesNotMatch(server.output(), /App Store/);
  assert.equal(await storeUrl(server.url), null);
  for (const path of PATHS) assert.equal((await call(server.url, 'GET', path)).status, 404, path);
  assert.equal((await call(server.url, 'GET', '/dev/apple/authorize')).status, 200, 'Sign in with Apple still is');
});
