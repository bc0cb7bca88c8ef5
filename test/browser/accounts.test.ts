/** The account on the page: signing in with Apple, sessions, export, signing out and deletion, in a window and on a phone. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';
import type { Page } from 'playwright-core';
import { createClient, memoryStorage } from '../../client/src/index.ts';
import { type AppleServer, startAppleServer } from '../support/apple-server.ts';
import { browserTests } from '../support/browser.ts';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { assertAccessible } from './sound.ts';
import { balanceIs, describeVideo, ENDLESS, focusIsAt, press, settled, stageIs } from './steps.ts';

let apple: AppleServer;
after(() => apple?.[Symbol.asyncDispose]());

const browserTest = browserTests({
  path: null,
  async start() {
    apple = await startAppleServer();
    return startServerOnDatabase({ env: apple.env });
  },
});
const NO_MOTION = { reducedMotion: 'reduce' } as const;
const PHONE = { ...NO_MOTION, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** What Apple's page answers: as this person, or with an error, or not at all. */
type Answer = { sub: string } | { error: string } | 'close' | 'nothing';

/** Opens the page, with a page of Apple's in front of the test's own Apple. */
async function open(page: Page, url: string, answer: Answer): Promise<void> {
  await page.route('**/auth/v1/settings', async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      json: { ...(await response.json()), apple_authorize_url: '/dev/apple/authorize?client_id=dev.rendio.app' },
    });
  });
  await page.context().route('**/dev/apple/authorize?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    assert.match(query.get('nonce') ?? '', /^[0-9a-f]{64}$/);
    const message = await messageFor(answer, query);
    const send = `opener.postMessage(${JSON.stringify(message)}, location.origin);`;
    // A message of another sign-in comes first, and is ignored.
    const stale = `opener.postMessage({ type: 'apple-sign-in', state: 'old', error: 'failed' }, location.origin);`;
    const script = answer === 'nothing' ? '' : `<script>${message ? stale + send : ''} close();</script>`;
    await route.fulfill({ contentType: 'text/html', body: `<title>Apple</title><p>Apple</p>${script}` });
  });
  await page.goto(url);
  await settled(page);
}

async function messageFor(answer: Answer, query: URLSearchParams) {
  if (typeof answer === 'string') return null;
  const head = { type: 'apple-sign-in', state: query.get('state') };
  if ('error' in answer) return { ...head, error: answer.error };
  const claims = { sub: answer.sub, nonce: query.get('nonce'), email: 'ada@example.com' };
  return { ...head, identity_token: await apple.identityToken(claims), authorization_code: `c-${randomUUID()}` };
}

async function openAccount(page: Page): Promise<void> {
  await page.locator('#account-button').click();
  await page.locator('#account .who').waitFor();
  await page.locator('#sessions li').first().waitFor();
}

const pressApple = (page: Page) => page.locator('#apple-button').click();
const noteIs = (page: Page, text: string) => page.locator('#account-note', { hasText: text }).waitFor();
const errorIs = (page: Page, text: string) => page.locator('#account-error', { hasText: text }).waitFor();
const newSub = () => `001.${randomUUID()}`;

/** Another device of the same Apple user. */
async function otherDevice(url: string, sub: string) {
  const rendio = createClient({ url, storage: memoryStorage() });
  await rendio.signInWithApple({ identityToken: await apple.identityToken({ sub }) });
  return rendio;
}

browserTest(
  'a guest is told what moves to the Apple account, and keeps credits and videos there',
  NO_MOTION,
  async ({ page, server }) => {
    const sub = newSub();
    const phone = createClient({ url: server.url, storage: memoryStorage() });
    await phone.mergeGuest({ identityToken: await apple.identityToken({ sub }) });
    await open(page, server.url, { sub });
    await describeVideo(page, ENDLESS);
    await press(page);
    await stageIs(page, 'running');
    await balanceIs(page, 9);
    await openAccount(page);
    await page
      .locator('#merge-brings', { hasText: 'Your 9 credits and 1 video move to your Apple account.' })
      .waitFor();
    assert.equal(await page.locator('#apple-button').getAttribute('aria-describedby'), 'merge-brings');
    await assertAccessible(page, 'the account of a guest');
    await pressApple(page);
    await noteIs(page, 'You are signed in with Apple, with 19 credits.');
    await page.locator('#account .who', { hasText: 'ada@example.com' }).waitFor();
    await balanceIs(page, 19);
    await assertAccessible(page, 'the account of an Apple user');
    assert.equal(await page.locator('#apple-button').count(), 0);
    await page.keyboard.press('Escape');
    await focusIsAt(page, 'account-button');
    // The same video is still on the stage, and its end still arrives.
    await stageIs(page, 'running');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await stageIs(page, 'failed');
    await balanceIs(page, 20);
    await page.reload();
    await balanceIs(page, 20);
    await page.locator('.card').filter({ hasText: 'a snail' }).waitFor();
  },
);

browserTest(
  'a window that is blocked, closed or answers with an error is explained',
  NO_MOTION,
  async ({ page, server }) => {
    await open(page, server.url, { error: 'server_error' });
    await openAccount(page);
    await pressApple(page);
    await errorIs(page, 'Apple could not sign you in. Nothing has changed.');
    await page.context().unrouteAll({ behavior: 'ignoreErrors' });
    await page
      .context()
      .route('**/dev/apple/authorize?*', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<script>close()</script>' }),
      );
    await pressApple(page);
    await errorIs(page, 'The window was closed before you had signed in. Nothing has changed.');
    await page.evaluate(() => {
      window.open = () => null;
    });
    await pressApple(page);
    await errorIs(page, 'Your browser has blocked Apple’s window.');
    await assertAccessible(page, 'a blocked window');
    await balanceIs(page, 10);
  },
);

browserTest('sessions of other devices are listed and ended', NO_MOTION, async ({ page, server }) => {
  const sub = newSub();
  await open(page, server.url, { sub });
  await openAccount(page);
  await pressApple(page);
  await noteIs(page, 'You are signed in with Apple');
  const [tablet, laptop] = [await otherDevice(server.url, sub), await otherDevice(server.url, sub)];
  await page.keyboard.press('Escape');
  await openAccount(page);
  const rows = page.locator('#sessions li');
  await rows.nth(2).waitFor();
  assert.equal(await rows.filter({ hasText: 'This device' }).count(), 1);
  await page
    .getByRole('button', { name: /^End the session last seen/ })
    .first()
    .click();
  await noteIs(page, 'That session has ended.');
  await rows.nth(2).waitFor({ state: 'detached' });
  await focusIsAt(page, 'sessions-title');
  await page.getByRole('button', { name: /^End the session last seen/ }).click();
  await rows.nth(1).waitFor({ state: 'detached' });
  for (const device of [tablet, laptop]) await assert.rejects(device.credits(), { name: 'SignedOutError' });
});

browserTest(
  'the data is downloaded as one whole file, and one that was cut off is not',
  NO_MOTION,
  async ({ page, server }) => {
    await open(page, server.url, 'nothing');
    await openAccount(page);
    const download = page.waitForEvent('download');
    await page.locator('#export').click();
    const file = await download;
    assert.equal(file.suggestedFilename(), 'rendio-account.json');
    const document = JSON.parse(await text(await file.createReadStream()));
    assert.deepEqual([document.user.credits_remaining, document.transactions.length], [10, 1]);
    await noteIs(page, 'Your data was downloaded.');
    await page.route('**/export-account', (route) => route.fulfill({ body: '{"exported_at":"2026-' }));
    await page.locator('#export').click();
    await errorIs(page, 'The download was cut off. Try again.');
  },
);

browserTest(
  'a deletion names what is lost, needs two steps, and makes no guest unasked',
  PHONE,
  async ({ page, server }) => {
    await open(page, server.url, { sub: newSub() });
    const other = await page.context().newPage();
    await other.goto(server.url);
    await settled(other);
    await openAccount(page);
    await page.locator('#delete-account-open').click();
    const dialog = page.locator('#delete-account');
    await dialog.getByText('10 credits').waitFor();
    await assertAccessible(page, 'before a deletion');
    const deletions: string[] = [];
    const onboardings: string[] = [];
    page.context().on('request', (request) => {
      if (request.url().endsWith('delete-account')) deletions.push(request.url());
      if (request.url().endsWith('device-check')) onboardings.push(request.url());
    });
    await page.locator('#delete-yes').click({ force: true });
    await page.getByRole('button', { name: 'Keep everything' }).click();
    await page.locator('#account .who').waitFor();
    await page.locator('#delete-account-open').click();
    assert.equal(await page.locator('#delete-confirm').isChecked(), false);
    assert.deepEqual(deletions, []);
    await page.locator('#delete-confirm').check();
    await page.locator('#delete-yes').click();
    await page.locator('#signed-out', { hasText: 'Your account is deleted.' }).waitFor();
    // The other tab follows at once.
    await other.locator('#signed-out', { hasText: 'Your account is deleted.' }).waitFor();
    await page.locator('#apple-button').waitFor();
    await assertAccessible(page, 'deleted');
    await page.reload();
    await page.locator('#signed-out', { hasText: 'Your account is deleted.' }).waitFor();
    assert.deepEqual([deletions.length, onboardings.length], [1, 0]);
    await page.getByRole('button', { name: 'Continue as a guest' }).click();
    await balanceIs(page, 0);
    await balanceIs(other, 0);
    await focusIsAt(page, 'prompt');
  },
);

browserTest(
  'who signs out comes back with Apple; in Turkish, on a dark phone',
  { ...PHONE, colorScheme: 'dark', locale: 'tr-TR' },
  async ({ page, server }) => {
    await open(page, server.url, { sub: newSub() });
    await openAccount(page);
    await pressApple(page);
    await noteIs(page, 'Apple ile giriş yaptınız');
    await assertAccessible(page, 'the account of an Apple user, dark');
    await page.getByRole('button', { name: 'Çıkış yap', exact: true }).click();
    await page.locator('#signed-out', { hasText: 'Çıkış yaptınız.' }).waitFor();
    await assertAccessible(page, 'signed out, dark');
    assert.match((await page.locator('#reason').textContent()) ?? '', /^Önce giriş yapın/);
    await pressApple(page);
    await balanceIs(page, 10);
    assert.equal(await page.locator('#signed-out').textContent(), '');
  },
);
