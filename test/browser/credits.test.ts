import assert from 'node:assert/strict';
import { browserTests } from '../support/browser.ts';
import { balanceIs, describeVideo, ENDLESS, press, stageIs } from './steps.ts';

const browserTest = browserTests({ env: { INITIAL_GRANT_CREDITS: '1' } });

browserTest(
  'without credits the page says so before the press, and asks the server for nothing',
  {},
  async ({ page }) => {
    await balanceIs(page, 1);
    await describeVideo(page, ENDLESS);
    await press(page);
    await stageIs(page, 'running');
    await balanceIs(page, 0);
    assert.match((await page.locator('#reason').textContent()) ?? '', /^You have no credits left\./);
    assert.equal(await page.locator('#generate').getAttribute('aria-disabled'), 'true');
    let asked = 0;
    page.on('request', (request) => request.url().endsWith('generate-video') && asked++);
    // Forced: for assistive technology, and so for Playwright, it is switched off.
    await page.locator('#generate').click({ force: true });

    await page.getByRole('button', { name: 'Cancel' }).click();
    await balanceIs(page, 1);
    assert.equal(asked, 0);
    assert.equal(await page.locator('#generate').getAttribute('aria-disabled'), 'false');
  },
);

browserTest(
  'a refusal appears as the server’s sentence beside the button, with the id to quote',
  {},
  async ({ page }) => {
    await balanceIs(page, 1);
    await describeVideo(page, ENDLESS);
    await press(page);
    await balanceIs(page, 0);
    // As if the page had not heard of it.
    await page.route('**/get-user-credits', (route) => route.fulfill({ json: { credits_remaining: 5 } }));
    await page.reload();
    await balanceIs(page, 5);
    await describeVideo(page, 'one more');
    const refused = page.waitForResponse((response) => response.status() === 402);
    await press(page);
    const requestId = (await refused).headers()['x-request-id'];
    const error = page.locator('#general-error');
    await error.getByText('You need 1 credit, but only have 0. Please purchase more credits.').waitFor();
    assert.equal(await error.locator('code').textContent(), requestId);
    await balanceIs(page, 0);
  },
);

browserTest('who has none left can begin again as a new guest', {}, async ({ page }) => {
  await balanceIs(page, 1);
  await describeVideo(page, ENDLESS);
  await press(page);
  await balanceIs(page, 0);
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', { name: 'Start again as a new guest' }).click();
  await balanceIs(page, 1);
  await stageIs(page, 'empty');
});
