/** The page of the simulated App Store, and the calls with which a page of this server buys. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { appStorePages } from '../../sim/app-store/pages.ts';
import { appStoreIn, PRODUCT } from '../support/simulated-app-store.ts';

const ORIGIN = 'http://localhost:8787';

test('a page of this server buys, refunds and lists, and gets the signed transaction', async (t) => {
  const { appStore, inbox } = await appStoreIn(t);
  const pages = appStorePages(appStore);
  const call = async (method: string, path: string, json?: unknown) => {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const response = await pages.request(`${ORIGIN}/dev/apple/store/${path}`, { method, ...body });
    return { status: response.status, body: await response.json() };
  };
  const app_account_token = randomUUID();
  const bought = await call('POST', 'buy', { product_id: PRODUCT, app_account_token, quantity: 2 });
  assert.deepEqual([bought.status, Object.keys(bought.body)], [200, ['transaction_id', 'signed_transaction']]);
  const { transaction_id } = bought.body;
  const { productId, appAccountToken, quantity, environment } = decodeJwt(bought.body.signed_transaction);
  assert.deepEqual([productId, appAccountToken, quantity, environment], [PRODUCT, app_account_token, 2, 'Sandbox']);
  const second = await call('POST', 'buy', { product_id: 'other', app_account_token: null });
  const refunded = await call('POST', 'refund', { transaction_id, percentage: 50 });
  assert.equal(decodeJwt(refunded.body.signed_transaction).revocationPercentage, 50_000);
  assert.equal((await call('POST', 'refund', { transaction_id })).status, 200);
  assert.equal(inbox.payloads.length, 4);
  const { transactions } = (await call('GET', 'transactions')).body;
  assert.deepEqual(transactions[1], {
    ...{ transaction_id, product_id: PRODUCT, quantity: 2, app_account_token, environment: 'Sandbox' },
    ...{ purchased_at: '2026-11-29T12:00:00.000Z', refunded_percentage: 100 },
  });
  assert.deepEqual(
    [transactions[0].transaction_id, transactions[0].refunded_percentage],
    [second.body.transaction_id, 0],
  );
  for (const [path, json] of [
    ['buy', { app_account_token }],
    ['buy', { product_id: PRODUCT, app_account_token: 'me' }],
    ['buy', { product_id: PRODUCT, quantity: 0 }],
    ['refund', { transaction_id }],
    ['refund', { transaction_id: '../team' }],
    ['refund', { transaction_id, percentage: 101 }],
  ] as const) {
    const refused = await call('POST', path, json);
    assert.deepEqual([refused.status, typeof refused.body.error], [400, 'string'], JSON.stringify(json));
  }
});

test('another website can neither buy, refund nor read, and neither use the controls', async (t) => {
  const { appStore, store } = await appStoreIn(t);
  const { transactionId } = await store.buy({ productId: PRODUCT });
  const before = await store.transactions();
  const pages = appStorePages(appStore);
  const calls: [string, string, unknown?][] = [
    ['POST', 'buy', { product_id: PRODUCT }],
    ['POST', 'refund', { transaction_id: transactionId }],
    ['GET', 'transactions'],
    ['GET', 'control/transactions'],
    ['POST', `control/transactions/${transactionId}/refund`, {}],
    ['POST', 'control/sign', { bundleId: 'com.example' }],
    ['DELETE', 'control/faults'],
  ];
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://example.com' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:1' },
    { Origin: 'https://example.com' },
    { Origin: 'null' },
  ]) {
    for (const [method, path, json] of calls) {
      const body = json === undefined ? {} : { body: JSON.stringify(json) };
      const response = await pages.request(`${ORIGIN}/dev/apple/store/${path}`, { method, headers, ...body });
      assert.equal(response.status, 403, `${method} ${path}`);
      assert.ok(!(await response.text()).includes(transactionId));
    }
  }
  assert.deepEqual(await store.transactions(), before);
  for (const headers of [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: ORIGIN }, {}]) {
    const response = await pages.request(`${ORIGIN}/dev/apple/store/transactions`, { headers });
    assert.equal(response.status, 200);
  }
});

test('the page loads own files alone, in no frame, and says that no money moves', async (t) => {
  const { appStore } = await appStoreIn(t);
  const pages = appStorePages(appStore);
  const types = { store: 'text/html', 'store.css': 'text/css', 'store.js': 'text/javascript' };
  for (const [file, type] of Object.entries({ ...types, 'panel.css': 'text/css', 'panel.js': 'text/javascript' })) {
    const response = await pages.request(`${ORIGIN}/dev/apple/${file}`);
    assert.equal(response.status, 200, file);
    assert.match(response.headers.get('content-type') ?? '', new RegExp(`^${type}`));
    const csp = response.headers.get('content-security-policy') ?? '';
    assert.match(csp, /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(csp, /unsafe|\*/);
  }
  const html = await (await pages.request(`${ORIGIN}/dev/apple/store`)).text();
  assert.match(html, /no money moves/);
  assert.match(html, /Simulated App Store/);
  assert.doesNotMatch(html, /<style|<script(?![^>]*src=)|\son\w+=|style=/);
});
