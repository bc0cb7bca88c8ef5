/** The developers' page of the simulated App Store. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { browserTests } from '../support/browser.ts';
import { assertAccessible } from './sound.ts';

const browserTest = browserTests();
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

async function openStore(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/dev/apple/store`);
  await page.getByText('no money moves').waitFor();
}

browserTest(
  'on a phone, a developer buys, refunds a half and all, reverses it, and sees what was told',
  PHONE,
  async ({ page, server }) => {
    await openStore(page, server.url);
    await page.getByText('Buy something').click();
    const product = `product.${randomUUID().slice(0, 8)}`;
    await page.getByLabel('Product id').fill(product);
    await page.getByLabel('Quantity').fill('2');
    await page.getByRole('button', { name: 'Buy', exact: true }).click();
    const card = page.getByRole('listitem').filter({ hasText: product });
    const press = (name: string) => card.getByRole('button', { name }).click();
    await card.getByText('Paid').waitFor();
    assert.match(await card.innerText(), /2 × product\..*for no named account/s);
    await press('Refund half');
    await card.getByText('50 % refunded').waitFor();
    assert.equal(await card.getByRole('button', { name: 'Refund half' }).count(), 0);
    await press('Refund all');
    await card.getByText('Refunded', { exact: true }).waitFor();
    await press('Reverse refund');
    await card.getByText('Paid').waitFor();
    await press('Ask for consumption');
    await page.getByRole('status').getByText('Asked for consumption.').waitFor();
    await page.getByText('Notifications and errors').click();
    await page.locator('#notifications').getByText('CONSUMPTION_REQUEST').first().waitFor();
    await assertAccessible(page, 'the store, light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertAccessible(page, 'the store, dark');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  },
);

browserTest('a notification that a developer lets get lost is not sent', {}, async ({ page, server }) => {
  await openStore(page, server.url);
  await page.getByText('Notifications and errors').click();
  await page.getByRole('button', { name: 'Lose it' }).click();
  await page.getByText('The next notification gets lost.').waitFor();
  await page.getByRole('button', { name: 'Send a test notification' }).click();
  await page.getByText('Test sent. No notification was sent yet.').waitFor();
  await page.locator('#notifications').getByText('NO_RESPONSE').waitFor();
});

browserTest('what cannot be done is said, with the page as it was', {}, async ({ page, server }) => {
  await openStore(page, server.url);
  await page.getByText('Buy something').click();
  await page.getByLabel('Product id').fill('product');
  await page.getByLabel('Account').fill('nobody');
  await page.getByRole('button', { name: 'Buy', exact: true }).click();
  await page.getByRole('status').getByText('appAccountToken').waitFor();
  assert.equal(await page.getByLabel('Account').inputValue(), 'nobody');
});
