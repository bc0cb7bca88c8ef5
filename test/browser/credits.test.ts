import assert from 'node:assert/strict';
import { browserTests } from '../support/browser.ts';
import { balanceIs, describeVideo, ENDLESS, press, stageIs } from './steps.ts';

const browserTest = browserTests({ env: { INITIAL_GRANT_CREDITS: '1' } });

browserTest(
  'without credits the page says so before a click, and a click sends no request to the server',
  {},
  async ({ page }) => {
    await balanceIs(page, 1);
    await describeVideo(page, ENDLESS);
    await press(page);
    await stageIs(page, 'running');
    await balanceIs(page, 0);
    assert.match((await page.locator('#reason').textContent()) ?? '', /^You have no credits left\./);
    assert.equal(await page.locator('#generate').getAttribute('aria-disabled'), 'true');
    let requests = 0;
    page.on('request', (request) => request.url().endsWith('generate-video') && requests++);
    // Forced, because aria-disabled disables the button for Playwright as for assistive technology.
    await page.locator('#generate').click({ force: true });

    await page.locator('.shortage').getByRole('button', { name: 'Get credits' }).click();
    await page.getByText('Simulated App Store: no money moves.').waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Cancel' }).click();
    await balanceIs(page, 1);
    assert.equal(requests, 0);
    assert.equal(await page.locator('#generate').getAttribute('aria-disabled'), 'false');
  },
);

browserTest(
  'a refusal is shown beside the button with the server’s message and the request id',
  {},
  async ({ page }) => {
    await balanceIs(page, 1);
    await describeVideo(page, ENDLESS);
    // Another device of the same guest sends its request just before.
    await page.route('**/generate-video', async (route) => {
      await route.fetch({ headers: { ...route.request().headers(), 'idempotency-key': crypto.randomUUID() } });
      await route.continue();
    });
    const refused = page.waitForResponse((response) => response.status() === 402);
    await press(page);
    const requestId = (await refused).headers()['x-request-id'];
    const error = page.locator('#general-error');
    await error.getByText('You need 1 credit, but only have 0. Please purchase more credits.').waitFor();
    assert.equal(await error.locator('code').textContent(), requestId);
    await balanceIs(page, 0);
  },
);

browserTest('a balance below zero is explained, and the next purchase repays it', {}, async ({ page }) => {
  await balanceIs(page, 1);
  await page.locator('#get-credits').click();
  await page.getByRole('button', { name: 'Buy 10 credits', exact: true }).click();
  await balanceIs(page, 11);
  await page.keyboard.press('Escape');
  await page.getByRole('radio', { name: 'Cinematic', exact: false }).first().check();
  await page.getByRole('radio', { name: '8 s' }).check();
  await describeVideo(page, 'a costly scene');
  await press(page);
  await balanceIs(page, 3);
  await page.locator('#get-credits').click();
  await page.getByRole('button', { name: /^Refund all/ }).click();
  await page.locator('#reason', { hasText: 'Your balance is 7 credits below zero' }).waitFor();
  await page.getByRole('button', { name: 'Buy 25 credits, Starter' }).click();
  await balanceIs(page, 18);
});

browserTest('a guest without credits can start over as a new guest', {}, async ({ page }) => {
  await balanceIs(page, 1);
  await describeVideo(page, ENDLESS);
  await press(page);
  await balanceIs(page, 0);
  await page.getByRole('button', { name: 'Start over as a new guest' }).click();
  await page.getByRole('button', { name: 'Start over', exact: true }).click();
  await balanceIs(page, 1);
  await stageIs(page, 'empty');
});

browserTest('a late answer about the balance does not replace a newer balance', {}, async ({ page }) => {
  await balanceIs(page, 1);
  const [requested, release, answered] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let calls = 0;
  await page.route('**/get-user-credits', async (route) => {
    const isFirst = ++calls === 1;
    const response = await route.fetch();
    requested?.resolve();
    if (isFirst) await release?.promise;
    await route.fulfill({ response });
    if (isFirst) answered?.resolve();
  });
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await requested?.promise;
  await describeVideo(page, ENDLESS);
  await press(page);
  await balanceIs(page, 0);
  release?.resolve();
  await answered?.promise;
  // After this call the page has read the late answer as well.
  await page.evaluate(() => fetch('/healthz').then((response) => response.text()));
  assert.match((await page.locator('#credits').textContent()) ?? '', /^0 /);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
