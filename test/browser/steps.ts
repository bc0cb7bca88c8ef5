/** What visitors do and see on the page, for the tests in this folder. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

/** A prompt that the sandbox accepts and never finishes. */
export const ENDLESS = 'a snail on a long way [sandbox:timeout]';

/** Waits until the guest is signed in and the page can be used. */
export async function settled(page: Page): Promise<void> {
  await page.locator('#balance').waitFor();
}

/** The shortest and smallest video that the sandbox makes. */
export async function chooseSmallest(page: Page): Promise<void> {
  await page.locator('#setting-duration').fill('1');
  await page.getByRole('radio', { name: '360p' }).check();
}

export async function describeVideo(page: Page, prompt: string): Promise<void> {
  await page.locator('#prompt').fill(prompt);
}

/** Clicks the button that starts a generation; its text depends on the language. */
export async function press(page: Page): Promise<void> {
  await page.locator('#generate').click();
}

/** Requests the shortest and smallest video of this prompt, and waits until it plays. */
export async function makeVideo(page: Page, prompt: string): Promise<void> {
  await chooseSmallest(page);
  await describeVideo(page, prompt);
  await press(page);
  await page.locator('#shown-prompt', { hasText: prompt }).waitFor();
  await playing(page);
}

/** Resolves once the stage is in this state. */
export async function stageIs(page: Page, state: 'empty' | 'running' | 'done' | 'failed'): Promise<void> {
  // A small screen may not show the stage, but the document has it.
  await page.locator(`#show[data-state="${state}"]`).waitFor({ state: 'attached' });
}

/** Resolves once the video on the stage plays. */
export async function playing(page: Page): Promise<void> {
  await stageIs(page, 'done');
  await page.waitForFunction(() => {
    const video = document.querySelector('video');
    return video !== null && !video.paused && video.videoWidth > 0 && video.currentTime > 0.2;
  });
}

/** Resolves once the balance on the page is this. */
export async function balanceIs(page: Page, credits: number): Promise<void> {
  await page.locator('#credits', { hasText: new RegExp(`\\b${credits}\\b`) }).waitFor({ state: 'attached' });
}

/** The changes of the balance as the page lists them, newest first. */
export async function ledger(page: Page): Promise<string[]> {
  await page.locator('#balance').click();
  await page.locator('#rows li').first().waitFor();
  const changes = await page.locator('#rows .change').allTextContents();
  await page.keyboard.press('Escape');
  return changes;
}

/** Calls the API as the page's guest. */
export function asGuest(page: Page, path: string): Promise<Record<string, unknown>> {
  return page.evaluate(async (name) => {
    const session = JSON.parse(localStorage.getItem('rendio.session') ?? '{}');
    const headers = { Authorization: `Bearer ${session.access_token}` };
    return (await fetch(`/functions/v1/${name}`, { headers })).json();
  }, path);
}

/** The id of the element that has the keyboard's focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.id ?? '');
}

/** Resolves once the element with this id has the keyboard's focus. */
export async function focusIsAt(page: Page, id: string): Promise<void> {
  await page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);
}

/** Presses Tab until the element with this id has the focus. */
export async function tabTo(page: Page, id: string): Promise<void> {
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === id) return;
  }
  assert.fail(`#${id} cannot be reached by the Tab key`);
}
