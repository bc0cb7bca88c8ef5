import assert from 'node:assert/strict';
import { browserTests } from '../support/browser.ts';
import {
  asGuest,
  balanceIs,
  chooseSmallest,
  describeVideo,
  ENDLESS,
  focused,
  focusIsAt,
  ledger,
  makeVideo,
  playing,
  press,
  settled,
  stageIs,
  tabTo,
} from './steps.ts';

const browserTest = browserTests();
const TURKISH = { locale: 'tr-TR' };

browserTest('a new visitor becomes a guest, makes a video and sees it play', {}, async ({ page }) => {
  await balanceIs(page, 10);
  await chooseSmallest(page);
  await describeVideo(page, 'A paper boat in the rain');
  assert.match((await page.locator('#generate').textContent()) ?? '', /1 credit/, 'the price comes before the click');
  await press(page);
  await stageIs(page, 'running');
  await playing(page);
  await balanceIs(page, 9);
  assert.deepEqual(await ledger(page), ['-1', '+10']);

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  assert.equal((await download).suggestedFilename(), 'A paper boat in the rain.mp4');
});

browserTest('a visitor who comes back is the same guest and finds the videos', {}, async ({ page }) => {
  await settled(page);
  await makeVideo(page, 'Lanterns over a lake');
  const guest = (await asGuest(page, 'get-user-profile')).id;

  await page.reload();
  await stageIs(page, 'done');
  assert.equal((await asGuest(page, 'get-user-profile')).id, guest);
  assert.ok(await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused), 'it does not start');
  const card = page.getByRole('listitem').filter({ hasText: 'Lanterns over a lake' });
  await card.locator('img').waitFor();
  await card.getByRole('button', { name: 'Lanterns over a lake' }).first().click();
});

browserTest(
  'on a phone the stage scrolls into view and nothing is wider than the screen',
  {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  },
  async ({ page }) => {
    await settled(page);
    await chooseSmallest(page);
    await page.getByRole('radio', { name: '9:16' }).check();
    await describeVideo(page, 'A very long word: Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüsselbund');
    await page.locator('#generate').tap();
    await stageIs(page, 'running');
    await page.waitForFunction(() => {
      const { top, bottom } = document.querySelector('#stage')?.getBoundingClientRect() ?? { top: -1, bottom: 0 };
      return top >= 0 && bottom <= innerHeight;
    });
    await playing(page);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, 390);
    for (const id of ['generate', 'download', 'language', 'prompt', 'balance', 'remove']) {
      const box = await page.locator(`#${id}`).boundingBox();
      assert.ok(box && box.height >= 44, `#${id} is large enough for a thumb: ${box?.height}`);
    }
  },
);

browserTest('a video is made by the keyboard alone, and the focus moves to it', {}, async ({ page }) => {
  await settled(page);
  await tabTo(page, 'prompt');
  await page.keyboard.type('A lighthouse in the fog');
  await tabTo(page, 'setting-duration');
  await page.keyboard.press('Home');
  assert.equal(await page.locator('output').textContent(), '1 second');
  // The group of aspect ratios, then that of resolutions, of which the middle one is chosen.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowLeft');
  assert.ok(await page.getByRole('radio', { name: '360p' }).isChecked());
  await tabTo(page, 'generate');
  await page.keyboard.press('Enter');
  await playing(page);
  await focusIsAt(page, 'video');
  assert.equal(await page.locator('#announce').textContent(), 'Your video is ready.');
});

browserTest('the prompt that a visitor is writing keeps the focus when a video is finished', {}, async ({ page }) => {
  await settled(page);
  await chooseSmallest(page);
  await page.locator('#prompt').fill('A sea of clouds');
  await page.keyboard.press('Control+Enter');
  await stageIs(page, 'running');
  assert.equal(await focused(page), 'prompt');
  await playing(page);
  assert.equal(await focused(page), 'prompt');
});

browserTest('a click before the form is complete moves the focus to the missing field', {}, async ({ page }) => {
  await settled(page);
  await tabTo(page, 'generate');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'prompt');
  assert.equal(await page.locator('#reason').textContent(), 'Describe your video in at least 3 characters.');
  await stageIs(page, 'empty').catch(() => assert.fail('a generation has started'));
});

browserTest(
  'a video is cancelled by the keyboard: its credit is refunded and the focus is not lost',
  {},
  async ({ page }) => {
    await settled(page);
    await page.locator('#prompt').fill(ENDLESS);
    await tabTo(page, 'generate');
    await page.keyboard.press('Enter');
    await stageIs(page, 'running');
    await balanceIs(page, 9);
    await tabTo(page, 'cancel');
    await page.keyboard.press('Enter');
    await stageIs(page, 'failed');
    assert.equal(
      await page.locator('#verdict').textContent(),
      'You cancelled this video. Its 1 credit is back in your balance.',
    );
    await balanceIs(page, 10);
    await focusIsAt(page, 'stage');
  },
);

browserTest('in Turkish all texts from the form to the video are Turkish', TURKISH, async ({ page }) => {
  await settled(page);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Videoda ne olsun?');
  assert.equal(await page.locator('html').getAttribute('lang'), 'tr');
  assert.equal((await asGuest(page, 'get-user-profile')).language, 'tr');
  await balanceIs(page, 10);
  await chooseSmallest(page);
  await describeVideo(page, 'Işıltılı şehirde çiğ düşen güller');
  await page.getByRole('button', { name: 'Videoyu oluştur' }).click();
  await playing(page);
  assert.equal(await page.locator('#announce').textContent(), 'Videonuz hazır.');
});

browserTest('the messages of the server are Turkish as well', TURKISH, async ({ page }) => {
  await settled(page);
  await describeVideo(page, 'Olmayacak bir şey [sandbox:fail]');
  await press(page);
  await stageIs(page, 'failed');
  assert.match((await page.locator('#verdict').textContent()) ?? '', /1 krediniz/);
  await balanceIs(page, 10);
});

browserTest('a chosen language is used at once, kept, and saved for the account', TURKISH, async ({ page }) => {
  await settled(page);
  const saved = page.waitForResponse(
    (response) => response.url().endsWith('update-user-profile') && response.request().postDataJSON().language === 'es',
  );
  await page.locator('#language').selectOption('es');
  await page.getByRole('heading', { level: 1, name: '¿Qué debe mostrar el vídeo?' }).waitFor();
  assert.equal((await saved).status(), 200);
  assert.equal((await asGuest(page, 'get-user-profile')).language, 'es');
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('html').getAttribute('lang'), 'es');
});
