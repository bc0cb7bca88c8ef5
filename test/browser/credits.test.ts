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
    // Another device of the same guest is quicker by a moment.
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

browserTest('who has none left can begin again as a new guest', {}, async ({ page }) => {
  await balanceIs(page, 1);
  await describeVideo(page, ENDLESS);
  await press(page);
  await balanceIs(page, 0);
  await page.getByRole('button', { name: 'Start over as a new guest' }).click();
  await page.getByRole('button', { name: 'Start over', exact: true }).click();
  await balanceIs(page, 1);
  await stageIs(page, 'empty');
});

browserTest('an answer about the balance that was overtaken by news changes nothing', {}, async ({ page }) => {
  await balanceIs(page, 1);
  const [asked, release, answered] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let questions = 0;
  await page.route('**/get-user-credits', async (route) => {
    const isFirst = ++questions === 1;
    const response = await route.fetch();
    asked?.resolve();
    if (isFirst) await release?.promise;
    await route.fulfill({ response });
    if (isFirst) answered?.resolve();
  });
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await asked?.promise;
  await describeVideo(page, ENDLESS);
  await press(page);
  await balanceIs(page, 0);
  release?.resolve();
  await answered?.promise;
  // By then the page has read the late answer, too.
  await page.evaluate(() => fetch('/healthz').then((response) => response.text()));
  assert.match((await page.locator('#credits').textContent()) ?? '', /^0 /);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
