/** What axe-core finds in each state of the page: nothing serious, nothing critical. */
import { browserTests } from '../support/browser.ts';
import { isSound } from './sound.ts';
import { balanceIs, chooseSmallest, describeVideo, ENDLESS, press, settled, stageIs } from './steps.ts';

const browserTest = browserTests({ env: { INITIAL_GRANT_CREDITS: '1' } });
/** Nothing fades while colours are compared. */
const CALM = { reducedMotion: 'reduce' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

browserTest('axe finds nothing serious from the empty page to a cancelled video', CALM, async ({ page }) => {
  await settled(page);
  await isSound(page, 'empty');
  await describeVideo(page, ENDLESS);
  await press(page);
  await stageIs(page, 'running');
  await balanceIs(page, 0);
  await isSound(page, 'running, without credits');
  await page.getByRole('button', { name: 'Start over as a new guest' }).click();
  await isSound(page, 'the question before a new guest');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await stageIs(page, 'failed');
  await isSound(page, 'cancelled');
  await page.locator('#balance').click();
  await page.locator('#rows li').first().waitFor();
  await isSound(page, 'the credits’ history');
  await page.keyboard.press('Escape');
  await page.locator('#remove').click();
  await page.locator('#undo').waitFor();
  await isSound(page, 'deleted, to be undone');
});

browserTest('axe finds nothing serious with a finished video, by day and by night', CALM, async ({ page }) => {
  await settled(page);
  await chooseSmallest(page);
  await describeVideo(page, 'A lamp in a dark room');
  await press(page);
  await stageIs(page, 'done');
  await isSound(page, 'done, by day');
  await page.emulateMedia({ colorScheme: 'dark' });
  await isSound(page, 'done, by night');
  await page.locator('#balance').click();
  await page.locator('#rows li').first().waitFor();
  await isSound(page, 'the credits’ history, by night');
});

browserTest(
  'axe finds nothing serious on a Turkish phone',
  { ...CALM, ...PHONE, locale: 'tr-TR' },
  async ({ page }) => {
    await settled(page);
    await isSound(page, 'empty, many models');
    await page.emulateMedia({ colorScheme: 'dark' });
    await isSound(page, 'empty, many models, by night');
    await page.getByRole('radio', { name: 'Cinematic', exact: true }).check();
    await isSound(page, 'a simulated model, by night');
    await page.getByRole('radio', { name: 'Sandbox' }).check();
    await describeVideo(page, 'Olmayacak bir şey [sandbox:fail]');
    await press(page);
    await stageIs(page, 'failed');
    await isSound(page, 'failed, by night');
  },
);

browserTest('axe finds nothing serious when something is wrong', CALM, async ({ page, server }) => {
  await settled(page);
  const error = { code: 'ERR_6003', message: 'Something went wrong on our side.', details: {} };
  await page.route('**/generate-video', (route) => route.fulfill({ status: 501, json: { error } }));
  await describeVideo(page, 'no way');
  await press(page);
  await page.locator('#general-error').getByText(error.message).waitFor();
  await isSound(page, 'refused');
  await page.context().setOffline(true);
  await page.locator('#notice').getByText('You are offline').waitFor();
  await isSound(page, 'offline');
  await page.context().setOffline(false);
  await page.route('**/get-models', (route) => route.fulfill({ status: 503, json: { error } }));
  await page.goto(server.url);
  await page.locator('#notice').getByText(error.message).waitFor();
  await isSound(page, 'no way in');
});
