import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { browserTests } from '../support/browser.ts';
import {
  asGuest,
  balanceIs,
  chooseSmallest,
  describeVideo,
  focused,
  focusIsAt,
  press,
  settled,
  stageIs,
  tabTo,
} from './steps.ts';

const browserTest = browserTests();
/** Longer than a deletion can be undone. */
const UNDO_OVER_MS = 9_000;
const PAGE = 12;

/** A prompt that is declined makes a finished job within a second. */
async function makeFailed(page: Page, prompt: string): Promise<void> {
  await settled(page);
  await describeVideo(page, `${prompt} [sandbox:fail]`);
  await press(page);
  await page.locator('#shown-prompt', { hasText: prompt }).waitFor();
  await stageIs(page, 'failed');
}

const card = (page: Page, prompt: string) => page.locator('.card').filter({ hasText: prompt });
const deletions = (page: Page) => {
  const sent: string[] = [];
  page.on('request', (request) => request.url().includes('delete-video-job') && sent.push(request.postData() ?? ''));
  return sent;
};

/** Polls the server, without the page, until the guest has this number of videos. */
async function serverHas(url: string, token: string, videos: number): Promise<void> {
  for (const endsAt = Date.now() + 10_000; ; ) {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await (await fetch(`${url}/functions/v1/get-video-jobs`, { headers })).json();
    if (answer.jobs.length === videos) return;
    assert.ok(Date.now() < endsAt, `the server still has ${answer.jobs.length} videos`);
  }
}

const tokenOf = (page: Page) =>
  page.evaluate((): string => JSON.parse(localStorage.getItem('rendio.session') ?? '{}').access_token);

browserTest(
  'a video that was deleted by the keyboard is restored by the keyboard, and nothing was sent',
  {},
  async (visit) => {
    const { page } = visit;
    await makeFailed(page, 'Kept after all');
    const sent = deletions(page);
    await tabTo(page, 'remove');
    await page.keyboard.press('Enter');
    await card(page, 'Kept after all').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.textContent === 'Undo');
    await page.keyboard.press('Enter');
    await card(page, 'Kept after all').waitFor();
    assert.ok(await page.evaluate(() => document.activeElement?.closest('.card') !== null), 'the focus is not lost');
    assert.deepEqual(sent, []);
    await page.reload();
    await card(page, 'Kept after all').waitFor();
  },
);

browserTest('a deletion is sent when it can no longer be undone', {}, async ({ page, server }) => {
  await page.clock.install();
  await page.reload();
  await makeFailed(page, 'Gone for good');
  const sent = deletions(page);
  await card(page, 'Gone for good').getByRole('button', { name: 'Delete: Gone for good' }).click();
  await page.locator('#undo').waitFor();
  await stageIs(page, 'empty');
  assert.deepEqual(sent, []);
  // The time does not run while the pointer is over the button.
  await page.locator('#undo').hover();
  await page.clock.fastForward(UNDO_OVER_MS);
  assert.deepEqual(sent, []);
  await page.mouse.move(1, 1);
  await page.clock.fastForward(UNDO_OVER_MS);
  await page.locator('#undo').waitFor({ state: 'detached' });
  await serverHas(server.url, await tokenOf(page), 0);
  assert.equal(sent.length, 1);
});

browserTest('a deletion is sent at once when the visitor leaves the page', {}, async ({ page, server }) => {
  await makeFailed(page, 'Left behind');
  const token = await tokenOf(page);
  await page.locator('#remove').click();
  await page.locator('#undo').waitFor();
  await page.goto('about:blank');
  await serverHas(server.url, token, 0);
});

browserTest('a deletion that got no answer is sent again at the next visit', {}, async ({ page, server }) => {
  await makeFailed(page, 'Asked twice');
  // In the page itself: Playwright does not see the requests that a page sends while it is left.
  await page.evaluate(() => {
    const real = window.fetch;
    window.fetch = (input, init) =>
      String(input).includes('delete-video-job') ? Promise.reject(new TypeError('cut')) : real(input, init);
  });
  await page.locator('#remove').click();
  await page.locator('#undo').waitFor();
  await page.route('**/delete-video-job', (route) => route.abort('connectionreset'));
  await page.reload();
  await settled(page);
  assert.equal(await card(page, 'Asked twice').count(), 0);
  assert.equal((await asGuest(page, 'get-video-jobs')).total, 1);
  await page.unroute('**/delete-video-job');
  await page.reload();
  await settled(page);
  await serverHas(server.url, await tokenOf(page), 0);
});

browserTest('after a refused deletion the video is shown again, with the reason', {}, async ({ page }) => {
  await page.clock.install();
  await page.reload();
  await makeFailed(page, 'Not to be deleted');
  const error = { code: 'ERR_4008', message: 'This is not possible now.', details: {} };
  await page.route('**/delete-video-job', (route) =>
    route.fulfill({ status: 409, json: { error }, headers: { 'X-Request-Id': 'request-of-a-test' } }),
  );
  await page.locator('#remove').click();
  await page.locator('#undo').waitFor();
  await page.mouse.move(1, 1);
  await page.clock.fastForward(UNDO_OVER_MS);
  await page.locator('#history-error').getByText('This is not possible now.').waitFor();
  assert.equal(await page.locator('#history-error code').textContent(), 'request-of-a-test');
  await card(page, 'Not to be deleted').waitFor();
});

browserTest(
  'Make changes: the form has the prompt and the settings, and the prompt has the focus',
  {},
  async ({ page }) => {
    await settled(page);
    await chooseSmallest(page);
    await makeFailed(page, 'Once more');
    await page.locator('#setting-duration').fill('7');
    await page.getByRole('radio', { name: '1080p' }).check();
    await describeVideo(page, 'something else');
    await page.getByRole('button', { name: 'Make changes' }).first().click();
    assert.equal(await page.locator('#prompt').inputValue(), 'Once more [sandbox:fail]');
    assert.equal(await page.locator('#setting-duration').inputValue(), '1');
    assert.ok(await page.getByRole('radio', { name: '360p' }).isChecked());
    assert.equal(await focused(page), 'prompt');
  },
);

browserTest('older videos are loaded page by page, each once', {}, async ({ page }) => {
  await settled(page);
  const { models } = (await asGuest(page, 'get-models')) as { models: { id: string; provider: string }[] };
  const model = models.find(({ provider }) => provider === 'sandbox');
  await page.evaluate(
    async ([modelId, count]) => {
      const session = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
      for (let number = 1; number <= count; number += 1) {
        const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
        await fetch('/functions/v1/generate-video', {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${session.access_token}`,
            'Content-Type': 'application/json',
            'Idempotency-Key': id,
          },
          body: JSON.stringify({ model_id: modelId, prompt: `Number ${number} [sandbox:fail]` }),
        });
      }
    },
    [model?.id ?? '', PAGE + 2] as const,
  );
  await balanceIs(page, 10);
  await page.reload();
  await page.locator('.card').first().waitFor();
  assert.equal(await page.locator('.card').count(), PAGE);
  await page.locator('#more').focus();
  await page.keyboard.press('Enter');
  await page.locator('#more').waitFor({ state: 'detached' });
  const names = await page.locator('.card .name').allTextContents();
  assert.deepEqual(
    names,
    Array.from({ length: PAGE + 2 }, (_, index) => `Number ${PAGE + 2 - index} [sandbox:fail]`),
  );
  const isAtFirstNew = () =>
    document.activeElement?.matches('.open') && document.activeElement.textContent.includes('Number 2 ');
  await page.waitForFunction(isAtFirstNew);
});

browserTest('a row of the credits’ history opens its video', {}, async ({ page }) => {
  await makeFailed(page, 'The first of two');
  await makeFailed(page, 'The second of two');
  await page.locator('#balance').click();
  await page.locator('#rows').getByRole('button', { name: 'The first of two' }).first().click();
  await page.locator('#shown-prompt', { hasText: 'The first of two' }).waitFor();
  assert.equal(await page.locator('dialog[open]').count(), 0);
});

browserTest('Escape closes the credits’ history, and the focus is back at the balance', {}, async ({ page }) => {
  await settled(page);
  await tabTo(page, 'balance');
  await page.keyboard.press('Enter');
  await page.getByText('Welcome credits').waitFor();
  await page.keyboard.press('Escape');
  await focusIsAt(page, 'balance');
});
