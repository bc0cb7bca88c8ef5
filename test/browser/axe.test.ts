/** axe-core finds no serious or critical problem in any state of the page. */
import { browserTests } from '../support/browser.ts';
import { assertAccessible } from './sound.ts';
import { balanceIs, chooseSmallest, describeVideo, ENDLESS, press, settled, stageIs } from './steps.ts';

const browserTest = browserTests({ env: { INITIAL_GRANT_CREDITS: '1' } });
/** Without transitions, so that axe compares the final colours. */
const NO_MOTION = { reducedMotion: 'reduce' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

browserTest('axe finds nothing serious from the empty page to a cancelled video', NO_MOTION, async ({ page }) => {
  await settled(page);
  await assertAccessible(page, 'empty');
  await describeVideo(page, ENDLESS);
  await press(page);
  await stageIs(page, 'running');
  await balanceIs(page, 0);
  await assertAccessible(page, 'running, without credits');
  await page.getByRole('button', { name: 'Start over as a new guest' }).click();
  await assertAccessible(page, 'the dialog before a new guest');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await stageIs(page, 'failed');
  await assertAccessible(page, 'cancelled');
  await page.locator('#balance').click();
  await page.locator('#rows li').first().waitFor();
  await assertAccessible(page, 'the credits’ history');
  await page.keyboard.press('Escape');
  await page.locator('#remove').click();
  await page.locator('#undo').waitFor();
  await assertAccessible(page, 'deleted, with the undo button');
});

browserTest('axe finds nothing serious with a finished video, in both themes', NO_MOTION, async ({ page }) => {
  await settled(page);
  await chooseSmallest(page);
  await describeVideo(page, 'A lamp in a dark room');
  await press(page);
  await stageIs(page, 'done');
  await assertAccessible(page, 'done, light theme');
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertAccessible(page, 'done, dark theme');
  await page.locator('#balance').click();
  await page.locator('#rows li').first().waitFor();
  await assertAccessible(page, 'the credits’ history, dark theme');
});

browserTest(
  'axe finds nothing serious on a Turkish phone',
  { ...NO_MOTION, ...PHONE, locale: 'tr-TR' },
  async ({ page }) => {
    await settled(page);
    await assertAccessible(page, 'empty, many models');
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertAccessible(page, 'empty, many models, dark theme');
    await page.getByRole('radio', { name: 'Cinematic', exact: true }).check();
    await assertAccessible(page, 'a simulated model, dark theme');
    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await describeVideo(page, 'Olmayacak bir şey [sandbox:fail]');
    await press(page);
    await stageIs(page, 'failed');
    await assertAccessible(page, 'failed, dark theme');
  },
);

browserTest('axe finds nothing serious in the error states', NO_MOTION, async ({ page, server }) => {
  await settled(page);
  const error = { code: 'ERR_6003', message: 'Something went wrong on our side.', details: {} };
  await page.route('**/generate-video', (route) => route.fulfill({ status: 501, json: { error } }));
  await describeVideo(page, 'no way');
  await press(page);
  await page.locator('#general-error').getByText(error.message).waitFor();
  await assertAccessible(page, 'refused');
  await page.context().setOffline(true);
  await page.locator('#notice').getByText('You are offline').waitFor();
  await assertAccessible(page, 'offline');
  await page.context().setOffline(false);
  await page.route('**/get-models', (route) => route.fulfill({ status: 503, json: { error } }));
  await page.goto(server.url);
  await page.locator('#notice').getByText(error.message).waitFor();
  await assertAccessible(page, 'no models');
});
