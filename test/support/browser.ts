/** Tests in a real Chromium, against the real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildWeb } from '../../scripts/build-web.ts';
import { BROWSER_ARGUMENTS, chromiumPath, isBrowserRequired, NO_CHROMIUM } from './chromium.ts';
import { type SharedServer, startServerOnDatabase, useSharedServer } from './server-on-database.ts';

/** A video takes one or two seconds; the rest allows for a very busy machine. */
const TIMEOUT_MS = 60_000;

export type Visit = { page: Page; server: SharedServer };
export type BrowserTest = (name: string, options: BrowserContextOptions, work: (visit: Visit) => Promise<void>) => void;

type Options = {
  env?: Record<string, string>;
  /** The path of the first page; null: the browser's empty page. */
  path?: string | null;
  /** Starts a server for this file alone: for tests that kill it or start another on its data. */
  start?(): Promise<SharedServer>;
};

/**
 * Each test runs as a first-time visitor (a new browser context) in the run's browser and, without `env` and `start`,
 * on the run's server. Without Chromium there are no tests: test/browser/chromium.test.ts says why, once for all files.
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

/** Collects script errors and violations of the page's content security policy. Failed requests are not counted. */
function watchForProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const isFailedRequest = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isFailedRequest) problems.push(message.text());
  });
  return problems;
}
