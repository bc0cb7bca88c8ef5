/** Tests in a real Chromium, against the real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { BROWSER_ARGUMENTS, chromiumPath, isBrowserRequired, NO_CHROMIUM } from './chromium.ts';
import { type SharedServer, startServerOnDatabase, useSharedServer } from './server-on-database.ts';

/** A video takes a second or two; the rest is for a machine that is very busy. */
const TIMEOUT_MS = 60_000;

export type Visit = { page: Page; server: SharedServer };
export type BrowserTest = (name: string, options: BrowserContextOptions, work: (visit: Visit) => Promise<void>) => void;

type Options = {
  env?: Record<string, string>;
  /** Where a visitor begins; null: at an empty page. */
  path?: string | null;
  /** Where the server is to be killed, or followed by another on its data. */
  start?(): Promise<SharedServer>;
};

/**
 * For each test a visitor who was never here before, in the run's browser and, without `env` and `start`, at the run's
 * server. Without Chromium there are no tests: test/browser/chromium.test.ts says why, once for all files.
 */
export function browserTests({ env, path = '/', start }: Options = {}): BrowserTest {
  if (!chromiumPath && !isBrowserRequired) return () => {};
  const begin = start ?? (env ? () => startServerOnDatabase({ env }) : useSharedServer);
  let server: SharedServer;
  let browser: Browser;
  before(async () => {
    assert.ok(chromiumPath, NO_CHROMIUM);
    await buildWeb();
    server = await begin();
    const shared = process.env.RENDIO_TEST_BROWSER_URL;
    const own = { executablePath: chromiumPath, args: BROWSER_ARGUMENTS };
    browser = await (shared ? chromium.connect(shared) : chromium.launch(own));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  return (name, options, work) => {
    test(name, async () => {
      await using context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      context.setDefaultTimeout(TIMEOUT_MS);
      const page = await context.newPage();
      const problems = watchForProblems(page);
      if (path !== null) await page.goto(new URL(path, server.url).href);
      await work({ page, server });
      assert.deepEqual(problems, []);
    });
  };
}

/** What went wrong on a page: errors of its scripts, and what its own policy forbade. Refused calls are not among them. */
function watchForProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const isCall = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isCall) problems.push(message.text());
  });
  return problems;
}
