/** The page at which people sign in with the simulated Apple. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { newGuest } from '../acceptance/support/guest.ts';
import { browserTests, type Visit } from '../support/browser.ts';
import { assertAccessible } from './sound.ts';
import { balanceIs, settled } from './steps.ts';

const browserTest = browserTests();
const APP = 'dev.rendio.app';
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const DARK = { colorScheme: 'dark', reducedMotion: 'reduce' } as const;

type Message = {
  type: string;
  state: string | null;
  identity_token?: string;
  authorization_code?: string;
  error?: string;
};

async function newPerson(server: Visit['server']): Promise<{ id: string; name: string; email: string }> {
  const name = `P${randomUUID().slice(0, 8)}`;
  const body = JSON.stringify({ name, email: `${name}@example.com`.toLowerCase() });
  return (await fetch(`${server.url}/dev/apple/control/people`, { method: 'POST', body })).json();
}

/** Opens Apple's page as an app's button does. `messages` are what the app has been sent since. */
async function openFrom(page: Page, query = `?client_id=${APP}&nonce=hashed&state=s1`, base = '') {
  const url = `${base}/dev/apple/authorize${query}`;
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate((target) => {
      const received: unknown[] = [];
      Object.assign(globalThis, { received });
      addEventListener('message', ({ data }) => received.push(data));
      open(target, 'apple', 'popup,width=480,height=720');
    }, url),
  ]);
  popup.on('pageerror', (error) => assert.fail(error));
  const messages = () => page.evaluate(() => (globalThis as unknown as { received: Message[] }).received);
  return { popup, messages };
}

function claimsOf({ identity_token = '' }: Message) {
  return JSON.parse(Buffer.from(identity_token.split('.')[1] ?? '', 'base64url').toString());
}

/** Presses a button that closes the window: the click itself may find the window gone. */
async function pressLast(popup: Page, name: string): Promise<void> {
  await popup
    .getByRole('button', { name })
    .click()
    .catch((error: unknown) => {
      if (!popup.isClosed()) throw error;
    });
}

async function closed(popup: Page): Promise<void> {
  if (!popup.isClosed()) await popup.waitForEvent('close');
}

async function assertNoSideScroll(page: Page): Promise<void> {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
}

browserTest(
  'the chosen person signs in at the window that has opened the page, which closes',
  {},
  async ({ page, server }) => {
    const person = await newPerson(server);
    const { popup, messages } = await openFrom(page);
    await popup.getByText(`Sign in to ${APP}`).waitFor();
    await popup.getByRole('radio', { name: person.name, exact: false }).first().check();
    await popup.getByRole('radio', { name: 'Share my e-mail' }).check();
    await pressLast(popup, 'Continue');
    await closed(popup);
    const [message] = await messages();
    assert.ok(message);
    assert.deepEqual(Object.keys(message).sort(), ['authorization_code', 'identity_token', 'state', 'type']);
    assert.deepEqual([message.type, message.state], ['apple-sign-in', 's1']);
    const { aud, nonce, email, is_private_email } = claimsOf(message);
    assert.deepEqual([aud, nonce, email, is_private_email], [APP, 'hashed', person.email, false]);
  },
);

browserTest(
  'a new person is made, chosen and signed in with the keyboard alone, with their e-mail hidden',
  {},
  async ({ page }) => {
    const { popup, messages } = await openFrom(page);
    const name = `P${randomUUID().slice(0, 8)}`;
    await popup.getByText('New person').focus();
    await popup.keyboard.press('Enter');
    await popup.keyboard.press('Tab');
    await popup.keyboard.type(name);
    await popup.keyboard.press('Tab');
    await popup.keyboard.type('someone@example.com');
    await popup.keyboard.press('Enter');
    await popup.getByText(`${name} has an Apple Account now.`).waitFor();
    assert.ok(await popup.getByRole('radio', { name }).isChecked());
    await popup.getByRole('radio', { name: 'Hide my e-mail' }).focus();
    await popup.keyboard.press('Enter');
    await closed(popup);
    const [message] = await messages();
    assert.match(claimsOf(message ?? assert.fail()).email, /^\w+@privaterelay\.appleid\.com$/);
  },
);

browserTest('a guest of the playground signs in at it, and keeps the credits', {}, async ({ page, server }) => {
  const person = await newPerson(server);
  await page.goto(server.url);
  await settled(page);
  await page.locator('#account-button').click();
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.locator('#apple-button').click()]);
  await popup.getByRole('radio', { name: person.name, exact: false }).first().check();
  await popup.getByRole('radio', { name: 'Share my e-mail' }).check();
  await pressLast(popup, 'Continue');
  await closed(popup);
  await page.locator('#account .who', { hasText: person.email }).waitFor();
  await balanceIs(page, 10);
});

browserTest('whoever cancels is said to have closed the window', {}, async ({ page }) => {
  const { popup, messages } = await openFrom(page);
  await pressLast(popup, 'Cancel');
  await closed(popup);
  assert.deepEqual(await messages(), [{ type: 'apple-sign-in', state: 's1', error: 'popup_closed_by_user' }]);
});

browserTest(
  'a website of another origin gets no answer, and nobody can sign in to it',
  {},
  async ({ page, server }) => {
    const port = new URL(server.url).port;
    await page.goto(`http://127.0.0.1:${port}/`);
    const { popup, messages } = await openFrom(page, undefined, `http://localhost:${port}`);
    await popup.getByText('This page was opened by another website, which gets no answer.').waitFor();
    assert.equal(await popup.getByRole('button', { name: 'Continue' }).isVisible(), false);
    assert.equal(await popup.getByRole('button', { name: 'Cancel' }).isVisible(), false);
    // Not even when the form is sent regardless.
    await popup.evaluate(() => document.querySelector<HTMLButtonElement>('#cancel')?.click());
    await closed(popup);
    assert.deepEqual(await messages(), []);
  },
);

browserTest('an app that Apple does not know is refused, and without an app nobody signs in', {}, async ({ page }) => {
  const { popup } = await openFrom(page, '?client_id=com.example.unknown');
  await popup.getByRole('alert').getByText('invalid_client').waitFor();
  assert.equal(await popup.getByRole('button', { name: 'Continue' }).isVisible(), false);
  await popup.close();
  await page.goto(new URL('/dev/apple/authorize', page.url()).href);
  await page.getByText('Apps open this page to sign in.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Continue' }).isVisible(), false);
  assert.ok(await page.getByRole('button', { name: 'Withdraw consent' }).isVisible());
});

browserTest(
  'on a phone in the dark, a guest signs in, and the panel withdraws consent and deletes the Apple Account after a second press',
  { ...PHONE, ...DARK },
  async ({ page, server }) => {
    const person = await newPerson(server);
    const nonce = randomUUID();
    const hashed = createHash('sha256').update(nonce).digest('hex');
    const { popup, messages } = await openFrom(page, `?client_id=${APP}&nonce=${hashed}&state=s1`);
    await popup.getByRole('radio', { name: person.name }).first().check();
    await assertAccessible(popup, 'sign-in, dark');
    await pressLast(popup, 'Continue');
    await closed(popup);
    const { identity_token, authorization_code } = (await messages())[0] ?? assert.fail();
    const guest = await newGuest(server.url);
    const merged = await guest.post('merge-guest-user', { identity_token, authorization_code, nonce });
    assert.equal(merged.status, 200, merged.text);

    await page.goto(`${server.url}/dev/apple/authorize?client_id=${APP}`);
    await page.getByRole('radio', { name: person.name }).check();
    await page.getByText('code exchanged').waitFor();
    await page.getByRole('button', { name: 'Withdraw consent' }).click();
    await page.getByText('Consent withdrawn. The server answered 200.').waitFor();
    await page.getByText('ended by the person').waitFor();
    assert.equal((await guest.get('get-user-credits')).status, 401, 'the sessions have ended');
    await page.getByLabel('Send it twice').check();
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('consent-revoked sent. The server answered 200, 200.').waitFor();
    await assertAccessible(page, 'the panel, dark');
    await assertNoSideScroll(page);
    await page.emulateMedia({ colorScheme: 'light' });
    await assertAccessible(page, 'the panel, light');
    await page.getByRole('button', { name: 'Delete the Apple Account' }).click();
    await page.getByRole('button', { name: 'Really delete it?' }).click();
    await page.getByText('Apple Account deleted. No server had to be told.').waitFor();
    assert.ok(await page.getByRole('radio', { name: person.name }).isDisabled());
  },
);
