/** The API reference at /docs, as a developer uses it to try an endpoint. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { browserTests } from '../support/browser.ts';
import { assertAccessible } from './sound.ts';

const browserTest = browserTests({ path: null });
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Opens the reference at one of its operations. */
async function visit(page: Page, url: string, tag: string, id: string): Promise<Locator> {
  await page.goto(`${url}/docs#/${encodeURIComponent(tag)}/${id}`);
  return operation(page, tag, id);
}

async function operation(page: Page, tag: string, id: string): Promise<Locator> {
  const block = page.locator(`#operations-${tag.replaceAll(' ', '_')}-${id}`);
  await block.locator('.execute').waitFor();
  return block;
}

async function signInAsGuest(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign in as a guest' }).click();
  await creditsAre(page, 10);
}

async function creditsAre(page: Page, credits: number): Promise<void> {
  await page.locator('.account .credits', { hasText: new RegExp(`^${credits} credits?$`) }).waitFor();
}

/** Sends the call and resolves with its status and body. */
async function execute(block: Locator): Promise<{ status: string; body: string }> {
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table tbody .response');
  await answer.locator('.response-col_status').waitFor();
  return {
    status: (await answer.locator('.response-col_status').innerText()).trim().slice(0, 3),
    body: await answer.locator('.highlight-code pre, pre.microlight').first().innerText(),
  };
}

const keyOf = (block: Locator) => block.locator('tr[data-param-name="Idempotency-Key"] input').inputValue();

browserTest(
  'a visitor signs in as a guest on the page, pays for a video and follows it to its end',
  {},
  async ({ page, server }) => {
    const generate = await visit(page, server.url, 'Video jobs', 'generateVideo');
    await signInAsGuest(page);
    // A link to an operation scrolls to it, below the bar that stays at the top.
    await page.waitForFunction(() => {
      const [block, head] = ['#operations-Video_jobs-generateVideo', '.top'].map((name) =>
        document.querySelector(name),
      );
      const top = block?.getBoundingClientRect().top ?? 0;
      return top >= (head?.getBoundingClientRect().bottom ?? 0) && top < 200;
    });
    const firstKey = await keyOf(generate);
    assert.match(firstKey, UUID);
    const shortest = (await generate.locator('textarea').inputValue()).replace(
      '"prompt"',
      '"settings": {"duration": 1, "resolution": "360p"}, "prompt"',
    );
    await generate.locator('textarea').fill(shortest);
    const paid = await execute(generate);
    assert.equal(paid.status, '200');
    const { job_id } = JSON.parse(paid.body) as { job_id: string };
    await creditsAre(page, 9);
    await page.waitForFunction(
      ([selector, before]) => document.querySelector<HTMLInputElement>(selector ?? '')?.value !== before,
      ['#operations-Video_jobs-generateVideo tr[data-param-name="Idempotency-Key"] input', firstKey],
    );
    assert.match(await keyOf(generate), UUID);

    await page.getByRole('navigation', { name: 'Endpoints' }).getByRole('link', { name: 'job-events' }).click();
    const events = await operation(page, 'Video jobs', 'jobEvents');
    await events.locator('tr[data-param-name="Last-Event-ID"] input').fill('0');
    const end = new RegExp(`event: completed\ndata: .*${job_id}`);
    let received = await execute(events);
    // The page listens for ten seconds at most; a busy machine may need longer for the video.
    for (let times = 1; times < 5 && received.status === '200' && !end.test(received.body); times += 1) {
      await events.getByRole('button', { name: 'Clear' }).click();
      received = await execute(events);
    }
    assert.equal(received.status, '200');
    assert.match(received.body, end);

    await page.getByRole('navigation', { name: 'Endpoints' }).getByRole('link', { name: 'get-video-status' }).click();
    assert.match(page.url(), /#\/Video%20jobs\/getVideoStatus$/);
    const status = await operation(page, 'Video jobs', 'getVideoStatus');
    assert.equal(await status.locator('tr[data-param-name="job_id"] input').inputValue(), job_id);
    const done = await execute(status);
    assert.deepEqual([done.status, (JSON.parse(done.body) as { status: string }).status], ['200', 'completed']);

    await page.reload();
    await creditsAre(page, 9);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as a guest' }).waitFor();
    assert.equal((await execute(await operation(page, 'Video jobs', 'getVideoStatus'))).status, '401');
  },
);

browserTest(
  'the chosen language is the language of the examples, the errors and the answers',
  {},
  async ({ page, server }) => {
    const credits = await visit(page, server.url, 'Credits', 'getUserCredits');
    await page.getByRole('radio', { name: 'Türkçe' }).check();
    await page.locator('#ERR_4001', { hasText: 'Bunun için 4 kredi gerekiyor' }).waitFor();
    await page.locator('#reference[aria-busy="false"]').waitFor();
    await credits.getByRole('button', { name: 'ERR_4005 unauthorized' }).first().click();
    await credits
      .locator('.response', { hasText: 'Oturumunuzu bulamadık. Devam etmek için lütfen uygulamayı yeniden açın.' })
      .first()
      .waitFor();

    const refused = await execute(credits);
    assert.equal(refused.status, '401');
    assert.match(refused.body, /Oturumunuzu bulamadık\. Devam etmek için lütfen uygulamayı yeniden açın\./);
    await page.reload();
    await page.locator('#ERR_4001', { hasText: 'Bunun için 4 kredi gerekiyor' }).waitFor();
  },
);

browserTest('the reference fits a phone, and can be used by keyboard alone', PHONE, async ({ page, server }) => {
  const profile = await visit(page, server.url, 'Accounts', 'getUserProfile');
  await tabTo(page, 'Sign in as a guest');
  await page.keyboard.press('Enter');
  await creditsAre(page, 10);
  assert.equal(await focusedName(page), 'Sign out');
  await profile.locator('.opblock-summary-control').focus();
  await tabTo(page, 'Execute');
  await page.keyboard.press('Enter');
  await profile.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(Number(content) <= Number(screen), `${content} on ${screen}`);
});

browserTest(
  'axe finds nothing serious in the reference, in the light and the dark theme',
  { reducedMotion: 'reduce' },
  async ({ page, server }) => {
    const openRefusal = async () => {
      const generate = await operation(page, 'Video jobs', 'generateVideo');
      await generate.getByRole('button', { name: 'ERR_4001 insufficient credits' }).click();
    };
    await visit(page, server.url, 'Video jobs', 'generateVideo');
    await signInAsGuest(page);
    await openRefusal();
    await assertAccessible(page, 'light theme');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.reload();
    await openRefusal();
    await assertAccessible(page, 'dark theme');
  },
);

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focusedName(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`sixty presses of Tab do not lead to ${name}`);
}

function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
}
