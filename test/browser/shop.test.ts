/** The shop on the page: buying and refunding in the simulated App Store, codes, the web shop, and servers that sell nothing here. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { browserTests } from '../support/browser.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';
import { assertAccessible } from './sound.ts';
import { balanceIs, describeVideo, ENDLESS, focusIsAt, press, settled, stageIs, tabTo } from './steps.ts';

let database: TestDatabase;

const browserTest = browserTests({
  path: null,
  async start() {
    database = await createTestDatabase();
    const server = await startTestServer({ env: { DATABASE_URL: database.url } });
    const stop = async () => {
      await server.stop();
      await database[Symbol.asyncDispose]();
    };
    return { url: server.url, stop };
  },
});
const NO_MOTION = { reducedMotion: 'reduce' } as const;
const PHONE = { ...NO_MOTION, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const SMALL_PHONE = { ...PHONE, viewport: { width: 320, height: 640 } };

async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await settled(page);
}

async function openShop(page: Page): Promise<void> {
  await page.locator('#get-credits').click();
  await page.locator('#code-form').waitFor();
}

const noteIs = (page: Page, kind: string, text: string) => page.locator(`#${kind}-note`, { hasText: text }).waitFor();
const purchases = (page: Page) => page.locator('#purchases li');
const isNotWider = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

/** Changes a JSON answer of the server. */
async function change(page: Page, path: string, changed: (body: Record<string, unknown>) => object): Promise<void> {
  await page.route(`**/${path}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: changed(await response.json()) });
  });
}

/** What is still on its way may fail: the page is about to be closed. */
const unroute = (page: Page) => page.unrouteAll({ behavior: 'ignoreErrors' });

async function newCode(credits: number): Promise<string> {
  const owner = ownerPool(database.url);
  const code = `GIFT${randomUUID().slice(0, 8).toUpperCase()}`;
  const sql = 'select create_code(p_credits := $1, p_uses_max := 10, p_code := $2, p_expires_at := null)';
  await owner.query(sql, [credits, code]);
  await owner.end();
  return code;
}

browserTest(
  'what is bought is spent, refunded by half and then in full, and each change is in the balance and in the history',
  NO_MOTION,
  async ({ page, server }) => {
    await visit(page, server.url);
    await openShop(page);
    await page.getByText('Simulated App Store: no money moves.').waitFor();
    await page.locator('#products li', { hasText: '150 credits' }).getByText('Best value').waitFor();
    await page.getByRole('button', { name: 'Buy 10 credits', exact: true }).click();
    await noteIs(page, 'buy', '10 credits were added.');
    await balanceIs(page, 20);
    assert.equal(await purchases(page).count(), 1);
    await assertAccessible(page, 'after a purchase');
    await page.keyboard.press('Escape');
    await focusIsAt(page, 'get-credits');

    await describeVideo(page, ENDLESS);
    await press(page);
    await stageIs(page, 'running');
    await balanceIs(page, 19);
    await openShop(page);
    await page.getByRole('button', { name: /^Refund half: 10 credits, / }).click();
    await balanceIs(page, 14);
    await purchases(page).getByText('50 % refunded').waitFor();
    await focusIsAt(page, 'purchases-title');
    assert.equal(await page.getByRole('button', { name: /^Refund half/ }).count(), 0);
    await page.getByRole('button', { name: /^Refund all: 10 credits, / }).click();
    await balanceIs(page, 9);
    await purchases(page).getByText('Refunded', { exact: true }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Refund/ }).count(), 0);
    await page.keyboard.press('Escape');

    await page.locator('#balance').click();
    await page.locator('#rows li').nth(4).waitFor();
    const rows = await page
      .locator('#rows li')
      .evaluateAll((items) =>
        items.map((item) => [item.querySelector('.what')?.textContent, item.querySelector('.change')?.textContent]),
      );
    assert.deepEqual(rows, [
      ['Purchase refunded by the App Store', '-5'],
      ['Purchase refunded by the App Store', '-5'],
      ['Video', '-1'],
      ['Purchase', '+10'],
      ['Welcome credits', '+10'],
    ]);
  },
);

browserTest(
  'a purchase is credited also when the page loses the server’s answer, and shown after a reload',
  NO_MOTION,
  async ({ page, server }) => {
    await visit(page, server.url);
    let calls = 0;
    await page.route('**/update-credits', async (route) => {
      calls += 1;
      if (calls > 1) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await openShop(page);
    await page.getByRole('button', { name: 'Buy 25 credits, Starter' }).click();
    await noteIs(page, 'buy', '25 credits were added.');
    await balanceIs(page, 35);
    assert.equal(calls, 2);
    await page.reload();
    await balanceIs(page, 35);
    await openShop(page);
    await purchases(page).getByText('25 credits').waitFor();
  },
);

browserTest(
  'a code is redeemed by keyboard on a dark phone; one that is too short, wrong or used says so; in Turkish',
  { ...PHONE, colorScheme: 'dark', locale: 'tr-TR' },
  async ({ page, server }) => {
    const code = await newCode(5);
    await visit(page, server.url);
    await tabTo(page, 'get-credits');
    await page.keyboard.press('Enter');
    await page.getByText('Simüle edilmiş App Store').waitFor();
    await tabTo(page, 'code');
    await page.keyboard.type('a-b');
    await page.keyboard.press('Enter');
    await page.locator('#code-short', { hasText: 'Bir kodda en az 4 harf ve rakam bulunur.' }).waitFor();
    assert.equal(await page.locator('#code').getAttribute('aria-invalid'), 'true');
    await page.locator('#code').fill('WRONG-CODE');
    await page.keyboard.press('Enter');
    await page.locator('#redeem-error', { hasText: /kod/i }).waitFor();
    assert.equal(await page.locator('#code').inputValue(), 'WRONG-CODE');
    await assertAccessible(page, 'a wrong code');
    await page.locator('#code').fill(`${code.slice(0, 4)}-${code.slice(4).toLowerCase()}`);
    await page.keyboard.press('Enter');
    await noteIs(page, 'redeem', 'Kod 5 kredi ekledi.');
    await balanceIs(page, 15);
    assert.equal(await page.locator('#code').inputValue(), '');
    await page.locator('#code').fill(code);
    await page.keyboard.press('Enter');
    await noteIs(page, 'redeem', 'Bu kodu daha önce kullandınız.');
    await balanceIs(page, 15);
    assert.ok(await isNotWider(page));
  },
);

browserTest(
  'nothing is wider than a small phone, also with many credits',
  { ...SMALL_PHONE, locale: 'es-ES' },
  async ({ page, server }) => {
    await visit(page, server.url);
    await openShop(page);
    await page.getByRole('button', { name: /^Comprar 150 créditos/ }).click();
    await balanceIs(page, 160);
    await page.getByRole('button', { name: /^Reembolsar la mitad/ }).waitFor();
    await assertAccessible(page, 'the shop on a small phone');
    assert.ok(await page.locator('#shop').evaluate((dialog) => dialog.scrollWidth <= dialog.clientWidth));
    await page.keyboard.press('Escape');
    assert.ok(await isNotWider(page));
  },
);

browserTest(
  'when another tab has changed the account, the shop closes, and opens for the new one',
  NO_MOTION,
  async ({ page, server }) => {
    await visit(page, server.url);
    await openShop(page);
    await page.getByRole('button', { name: 'Buy 10 credits', exact: true }).click();
    await balanceIs(page, 20);
    const other = await page.context().newPage();
    await visit(other, server.url);
    await other.evaluate(() => localStorage.clear());
    await other.evaluate(() => location.reload());
    await settled(other);
    await page.bringToFront();
    await page.locator('#shop[open]').waitFor({ state: 'detached' });
    await balanceIs(page, 10);
    await openShop(page);
    assert.equal(await purchases(page).count(), 0);
  },
);

browserTest(
  'what the simulated App Store refuses is said, and nothing is shown as bought',
  NO_MOTION,
  async ({ page, server }) => {
    await visit(page, server.url);
    await page.route('**/dev/apple/store/buy', (route) => route.fulfill({ status: 400, json: { error: 'No sale.' } }));
    await openShop(page);
    await page.getByRole('button', { name: 'Buy 10 credits', exact: true }).click();
    await page.locator('#buy-error', { hasText: 'No sale.' }).waitFor();
    assert.equal(await page.locator('#buy-note').textContent(), '');
    assert.equal(await purchases(page).count(), 0);
    await balanceIs(page, 10);
  },
);

browserTest(
  'where Apple is not simulated and there is no web shop, the page says that credits are bought in the app',
  NO_MOTION,
  async ({ page, server }) => {
    await change(page, 'auth/v1/settings', (body) => ({ ...body, app_store_url: null }));
    await visit(page, server.url);
    await openShop(page);
    await page.getByText('Credits are bought in the app.').waitFor();
    assert.equal(await page.locator('#products, #purchases').count(), 0);
    assert.equal(await page.locator('#shop').getByText('Simulated').count(), 0);
    await assertAccessible(page, 'credits are bought in the app');
    await unroute(page);
  },
);

browserTest(
  'a web shop sells what it has a price for, and the user comes back from its checkout',
  NO_MOTION,
  async ({ page, server }) => {
    await change(page, 'get-products', ({ products }) => ({
      products: (products as object[]).map((one, at) =>
        at === 0 ? { ...one, web_price: { amount: 2.99, currency: 'usd' } } : one,
      ),
    }));
    const asked: unknown[] = [];
    await page.route('**/create-checkout', (route) => {
      asked.push(route.request().postDataJSON());
      return route.fulfill({ json: { url: `${server.url}/?checkout=success` } });
    });
    await visit(page, server.url);
    await openShop(page);
    await page.getByText('You pay on Stripe’s page').waitFor();
    assert.equal(await page.locator('#products li').count(), 1);
    await page.getByRole('button', { name: 'Buy 10 credits, $2.99' }).click();
    await page.locator('#checkout-note', { hasText: 'Thank you!' }).waitFor();
    assert.deepEqual(asked, [{ product_id: 'com.rendio.credits.10' }]);
    assert.equal(page.url(), `${server.url}/`);
    await assertAccessible(page, 'back from the checkout');
    await page.keyboard.press('Escape');
    await openShop(page);
    assert.equal(await page.locator('#checkout-note').count(), 0);
    await page.goto(`${server.url}/?checkout=cancelled`);
    await page.locator('#checkout-note', { hasText: 'Nothing was paid.' }).waitFor();
    await unroute(page);
  },
);
